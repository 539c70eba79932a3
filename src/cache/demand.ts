import { randomInt } from 'node:crypto'

/** After how many askings in vain a kind is judged, and the share of finds from which on keeping pays at once. */
const judging = { misses: 256, share: 0.1 }

/** So many askings are remembered, as a power of two. */
const rememberedBits = 18

/** Of what seldom is found, one in so many is looked for further all the same: others may have come to keep it. */
const sampled = 128

/** The demands of all kinds, and what was asked for lately: as far as 32 bits of a key tell, until another takes its place. */
export class Demands {
  private readonly places = new Uint32Array(2 ** rememberedBits)
  private readonly seed = randomInt(2 ** 32)
  private kinds = 0
  private fillers = 0

  /** `hasMore` is whether others keep values too, which are found by looking further. */
  constructor(readonly hasMore: () => boolean) {}

  /** For a kind that is told apart from all others by this alone. */
  create(): Demand {
    return new Demand(this, Math.imul(++this.kinds, 0x9e3779b1) ^ this.seed)
  }

  /** Whether somebody reads for others at the moment, who are going to ask for it. */
  get isFilling(): boolean {
    return this.fillers > 0
  }

  /** Has all that is read meanwhile kept at once, and judges by none of it. */
  async fill<Result>(work: () => Promise<Result>): Promise<Result> {
    this.fillers++
    try {
      return await work()
    } finally {
      this.fillers--
    }
  }

  /** Notes the asking; whether the key had been asked for before. */
  note(kind: number, key: string): boolean {
    // FNV-1a, mixed once more as Murmur3 ends, for the places to be taken evenly.
    let digest = 0x811c9dc5 ^ kind
    for (let index = 0; index < key.length; index++) digest = Math.imul(digest ^ key.charCodeAt(index), 0x01000193)
    digest = Math.imul(digest ^ (digest >>> 16), 0x85ebca6b)
    digest = (digest ^ (digest >>> 13)) >>> 0
    const place = Math.imul(digest, 0xc2b2ae35) >>> (32 - rememberedBits)
    const isKnown = this.places[place] === digest
    this.places[place] = digest
    return isKnown
  }
}

/** Tells how many of those were found that were looked for. */
export type TellFound = (count: number) => void

/**
 * Whether values of one kind are asked for again. Of a kind whose values seldom are, those are kept that were asked for
 * before: what comes once only then costs little more than without a cache, and pushes out nothing.
 */
export class Demand {
  /** How many the process had: counted by whoever finds them. */
  found = 0
  private foundBefore = 0
  private missed = 0
  private recalled = 0
  private isRare = false
  private calls = 0
  private readonly sample = { looked: 0, found: 0 }

  constructor(
    private readonly demands: Demands,
    private readonly kind: number,
  ) {}

  /**
   * Where it pays to look further for these, which the process has not, and to keep them, whom to tell what was found;
   * one that is asked for again has all of them looked for. They count as asked for. `isSure` has it done in any case.
   */
  admits(keys: readonly string[], isSure = false): TellFound | undefined {
    let isAskedAgain = false
    for (const key of keys) if (this.demands.note(this.kind, key)) isAskedAgain = true
    if (this.demands.isFilling) return tellNobody
    const isAdmitted = isAskedAgain || !this.isRare || isSure
    this.missed += keys.length
    if (this.missed >= judging.misses) this.judge()
    if (isAdmitted) return this.recall
    if (!this.demands.hasMore() || ++this.calls % sampled !== 0) return undefined
    this.sample.looked += keys.length
    return this.recallSample
  }

  private readonly recall: TellFound = (count) => {
    this.recalled += count
  }

  private readonly recallSample: TellFound = (count) => {
    this.recalled += count
    this.sample.found += count
  }

  private judge(): void {
    const found = this.found - this.foundBefore
    const { sample } = this
    const isFound = found + this.recalled >= judging.share * (found + this.missed)
    const isSampleFound = sample.found > 0 && sample.found >= judging.share * sample.looked
    this.isRare = !isFound && !isSampleFound
    this.foundBefore = this.found
    this.missed = 0
    this.recalled = 0
    Object.assign(sample, { looked: 0, found: 0 })
  }
}

/** While the cache is filled nothing is judged. */
const tellNobody: TellFound = () => {}
