import type { Database } from '../db/database.js'

/** What is kept under a name, and by which definition. */
export interface Defined {
  readonly name: string
  readonly definition: object
  readonly rests: readonly string[]
}

/** What is kept beyond a request, by its name, as far as it was used: loaders, pages under a parent, computed values. */
export class Kept {
  private readonly definitions = new Map<string, object>()

  constructor(private readonly keysOf: Database['keys']) {}

  /**
   * Looks at a definition where it is used first, before anything is found under its name.
   * @throws Error where another has that name, or it rests on what no change tells of.
   */
  admit({ name, definition, rests }: Defined): void {
    const known = this.definitions.get(name)
    if (known === definition) return
    if (known)
      throw new Error(`Two loaders, pages or computed values have the name "${name}": give one of them another.`)
    for (const rest of rests) this.check(name, rest)
    this.definitions.set(name, definition)
  }

  private check(name: string, rest: string): void {
    const [table = '', ...property] = rest.split('.')
    const keys = this.keysOf(table)
    if (!keys) throw new Error(`${name} rests on "${rest}", but no entity has the table "${table}".`)
    const properties = [...new Set(keys.values())]
    if (property.length === 0 || properties.includes(property.join('.'))) return
    throw new Error(`${name} rests on "${rest}", but the keys of ${table} are ${properties.join(', ')}.`)
  }
}
