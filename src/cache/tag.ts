/**
 * What writes change and cached values rest on: everything (`*`), the rows of a table (`posts`), or those of them with
 * one value of a key (`posts.authorId:…`). Its version is never the same again once it was forgotten.
 */
export class Tag {
  /** Undefined while it is not known: nothing rests on it then. */
  version: string | undefined
  /** Until when the version may be relied on without asking for it again; on the clock of `performance.now()`. */
  until = 0
  /** Whether other processes know the version too. */
  isShared = false
  /** How often it was forgotten: whoever asked for its version before, asked in vain. */
  times = 0

  constructor(readonly name: string) {}

  isKnown(now: number): boolean {
    return this.version !== undefined && now < this.until
  }

  forget(): void {
    this.version = undefined
    this.times++
  }
}

/** Tags, and the versions that they had before something was read. */
export interface Basis {
  /** When, in ms since 1970. */
  readonly at: number
  readonly tags: readonly Tag[]
  /** One each; undefined where it was not known, and what was read cannot be kept. */
  readonly versions: readonly (string | undefined)[]
  /** So many of the tags, the first ones, decide whether it still stands; the others are the tables that those belong to. */
  readonly decisive: number
}

/** The tags of something that is not read yet. */
export type Rests = Pick<Basis, 'tags' | 'decisive'>

/** What something rests on that is read from now on. */
export function basisOf({ tags, decisive }: Rests): Basis {
  return { at: Date.now(), tags, versions: tags.map(({ version }) => version), decisive }
}

/** Whether nothing that it rests on has changed since, as far as is known for sure. */
export function stands({ tags, versions, decisive }: Basis, now: number): boolean {
  for (let index = 0; index < decisive; index++) {
    const tag = tags[index] as Tag
    if (tag.version === undefined || tag.version !== versions[index] || now >= tag.until) return false
  }
  return true
}

/** The tag that everything rests on: changed by writes that do not say which rows they changed. */
export const everything = '*'

export function tableTag(table: string): string {
  return table
}

export function rowsTag(table: string, property: string, value: string): string {
  return `${table}.${property}:${value}`
}
