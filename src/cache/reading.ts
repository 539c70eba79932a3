import type { Entry } from './memory.js'
import type { Basis, Tag } from './tag.js'

/**
 * More tags than this an answer does not rest on one by one: rows of a table then count as all of the table. Where that
 * has changed since some of them were read, they count as themselves, up to so many in all.
 */
const mostTags = { usual: 32, ever: 256 }

type Part = Pick<Entry, 'basis' | 'until'>

/** All that something which is computed has read, and so rests on. */
export class Reading {
  /** Whether it read who asks: then it is for them alone. */
  isPersonal = false
  /** Whether it came to an error: that says nothing of what others would come to. */
  hasFailed = false
  /** Until when all that others computed is as good as new. */
  until = Number.POSITIVE_INFINITY
  private readonly parts = new Set<Part>()
  private isSpoilt = false

  add(part: Part): void {
    this.parts.add(part)
  }

  /** What others computed: whatever is made of it is as old. */
  addComputed(part: Part): void {
    this.until = Math.min(this.until, part.until)
    this.add(part)
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
    collapse(decisive, tables)
    if (decisive.size > mostTags.ever) return undefined
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

/** Puts tables in place of their rows, those with the most rows first, as long as there are too many tags. */
function collapse(decisive: Versions, tables: Versions): void {
  if (decisive.size <= mostTags.usual) return
  const rows = [...decisive.byTag.keys()].filter(({ name }) => name.includes(':'))
  const groups = [...Map.groupBy(rows, ({ name }) => name.slice(0, name.indexOf('.')))]
  groups.sort(([, a], [, b]) => b.length - a.length)
  for (const [name, tags] of groups) {
    if (decisive.size <= mostTags.usual) return
    const [table, version] = [...tables.byTag].find(([tag]) => tag.name === name) ?? []
    if (!table || version === undefined || version !== table.version) continue
    for (const tag of tags) decisive.byTag.delete(tag)
    decisive.add(table, version)
  }
}
