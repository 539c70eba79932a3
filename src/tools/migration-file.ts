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
    const [space, text] = [' '.repeat(indent), `\`${sql.replace(/[`\\]|\$(?=\{)/g, '\\$&')}\``]
    const line = `${space}this.addSql(${text})`
    return line.length <= 120 ? line : `${space}this.addSql(\n${space}  ${text},\n${space})`
  }

  private method(name: string, statements: string[]): string[] {
    const lines = statements.filter((sql) => sql.trim()).map((sql) => this.createStatement(sql, 4))
    return [`  override async ${name}(): Promise<void> {`, ...lines, '  }']
  }
}
