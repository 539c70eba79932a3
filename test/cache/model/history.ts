/** Where a book stands, and which value it has; null where there is none. */
export type State = { readonly shelf: string; readonly value: number } | null

/** A state that was committed between `began` and `known`, on the clock of `performance.now()`. */
export interface Commit {
  readonly state: State
  readonly began: number
  readonly known: number
}

/** What an answer says of a book: its state, or that it is not on that shelf. */
export type Claim = { readonly row: string } & ({ readonly state: State } | { readonly notOn: string })

/** A read, and what it may not be older than. */
export interface Told {
  readonly began: number
  readonly ended: number
  readonly claims: readonly Claim[]
  /** By whom no older state may be seen, and from which time on. */
  readonly floors: readonly { readonly why: string; readonly floor: Floor }[]
}

/** The number of the oldest state of a book that may still be seen. */
export type Floor = (row: string) => number

/** All that was committed, book by book. */
export class History {
  private readonly commits = new Map<string, Commit[]>()

  add(row: string, commit: Commit): number {
    const all = this.of(row)
    all.push(commit)
    return all.length - 1
  }

  of(row: string): Commit[] {
    const all = this.commits.get(row) ?? [{ state: null, began: 0, known: 0 }]
    this.commits.set(row, all)
    return all
  }

  last(row: string): State {
    return this.of(row).at(-1)?.state ?? null
  }

  /** No state that was replaced for sure by that time. */
  floorAt(time: number): Floor {
    return (row) => this.of(row).findLastIndex(({ known }) => known <= time)
  }

  /** How stale it was in ms, at most; and what no promise allows. `allowed` is what it may be stale, for a moment. */
  judge({ began, ended, claims, floors }: Told, allowed: (since: number, until: number) => number) {
    let stalest = 0
    const wrongs: string[] = []
    for (const claim of claims) {
      const commits = this.of(claim.row)
      const seen = commits.findLastIndex((commit) => commit.began <= ended && agrees(claim, commit.state))
      if (seen === -1) {
        wrongs.push(`(d) ${tell(claim)}: that never was`)
        continue
      }
      for (const { why, floor } of floors)
        if (seen < floor(claim.row)) wrongs.push(`(b) ${tell(claim)}: older than ${why}`)
      const next = commits[seen + 1]
      if (!next) continue
      const stale = began - next.known
      stalest = Math.max(stalest, stale)
      if (stale > allowed(next.known, ended)) wrongs.push(`(a) ${tell(claim)}: ${stale.toFixed(0)} ms too late`)
    }
    return { stalest, wrongs }
  }
}

function agrees(claim: Claim, state: State): boolean {
  if ('notOn' in claim) return state?.shelf !== claim.notOn
  return claim.state === null ? state === null : state?.value === claim.state.value && state.shelf === claim.state.shelf
}

function tell(claim: Claim): string {
  const said = 'notOn' in claim ? `not on ${claim.notOn.slice(-4)}` : (claim.state?.value ?? 'absent')
  return `book ${claim.row.slice(-4)} ${said}`
}
