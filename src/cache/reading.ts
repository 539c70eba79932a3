import type { Entry } from './memory.js'
import type { Basis, Tag } from './tag.js'

/** More tags than this an answer does not rest on one by one: rows of a table then count as all of the table. */
const mostTags = 32

type Part = Pick<Entry, 'basis' | 'until'>

/** All that something which is computed has read, and so rests on. */
export class Reading {
  /** Whether it read who asks: then it is for them alone. */
  isPersonal = false
  /** Whether it came to an error: that says nothing of what others would come to. */
  hasFailed = false
  private readonly parts = new Set<Part>()
  private isSpoilt = false

  add(part: Part): void {
    this.parts.add(part)
  }

  /** Something was read of which nobody says when it changes. */
  spoil(): void {
    this.isSpoilt = true
  }

  /** When the oldest was read of what came from the cache, in ms since 1970; Infinity where nothing did. */
  get at(): number {
    let at = Number.POSITIVE_INFINITY
    for (const { basis } of this.parts) at = Math.min(at, basis.at)
    return at
  }

  /** What it rests on, and until when it stands at most; undefined where it cannot be kept. */
  end(): Part | undefined {
    if (this.isSpoilt || this.hasFailed) return undefined
    const decisive = new Versions()
    const tables = new Versions()
    let until = Number.POSITIVE_INFINITY
    for (const { basis, until: partly } of this.parts) {
      until = Math.min(until, partly)
      for (const [index, tag] of basis.tags.entries())
        (index < basis.decisive ? decisive : tables).add(tag, basis.versions[index])
    }
    if (decisive.size > mostTags) collapse(decisive, tables)
    return { until, basis: decisive.basis(Math.min(Date.now(), this.at)) }
  }
}

/** Tags with the versions they had when they were first read. */
class Versions {
  readonly byTag = new Map<Tag, string | undefined>()

  get size(): number {
    return this.byTag.size
  }

  /** A tag that had two versions changed while it was read: with none, nothing that rests on it stands. */
  add(tag: Tag, version: string | undefined): void {
    const isChanged = this.byTag.has(tag) && this.byTag.get(tag) !== version
    this.byTag.set(tag, isChanged ? undefined : version)
  }

  basis(at: number): Basis {
    return { at, tags: [...this.byTag.keys()], versions: [...this.byTag.values()], decisive: this.size }
  }
}

/** Puts tables in place of their rows, those with the most rows first, until there are few enough tags. */
function collapse(decisive: Versions, tables: Versions): void {
  const rows = [...decisive.byTag.keys()].filter(({ name }) => name.includes(':'))
  const groups = [...Map.groupBy(rows, ({ name }) => name.slice(0, name.indexOf('.')))]
  groups.sort(([, a], [, b]) => b.length - a.length)
  for (const [table, tags] of groups) {
    if (decisive.size <= mostTags) return
    for (const tag of tags) decisive.byTag.delete(tag)
    for (const [tag, version] of tables.byTag) if (tag.name === table) decisive.add(tag, version)
  }
}
