import { MigrationGenerator } from '@mikro-orm/migrations'

/** Writes a migration as the rest of the house is written. */
export class MigrationFile extends MigrationGenerator {
  override generateMigrationFile(name: string, { up, down }: { up: string[]; down: string[] }): string {
    return [
      "import { Migration } from '@mikro-orm/migrations'",
      '',
      `export class ${name} extends Migration {`,
      ...this.method('up', up),
      ...(down.length > 0 ? ['', ...this.method('down', down)] : []),
      '}',
      '',
    ].join('\n')
  }

  override createStatement(sql: string, indent: number): string {
    return `${' '.repeat(indent)}this.addSql(\`${sql.replace(/[`$\\]/g, '\\$&')}\`)`
  }

  private method(name: string, statements: string[]): string[] {
    const lines = statements.filter((sql) => sql.trim()).map((sql) => this.createStatement(sql, 4))
    return [`  override async ${name}(): Promise<void> {`, ...lines, '  }']
  }
}
