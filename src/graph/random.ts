import { v7 } from 'uuid'

/** Draws for the rows of one kind: those of a row are the same whenever and wherever they are made, in any order. */
export function defineRandom(kind: string): (index: number) => Random {
  const seed = hash(kind)
  return (index) => new Random(seed, index)
}

/** A stream of pseudo-random numbers (sfc32), not for secrets. */
export class Random {
  private a: number
  private b: number
  private c = 0x2545f491
  private count = 1

  constructor(seed: number, index: number) {
    this.a = seed
    this.b = index
    for (let round = 0; round < 12; round++) this.bits()
  }

  /** 32 bits. */
  bits(): number {
    const sum = (this.a + this.b + this.count++) | 0
    this.a = this.b ^ (this.b >>> 9)
    this.b = (this.c + (this.c << 3)) | 0
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0
    return sum >>> 0
  }

  /** From 0 up to 1, which it never is. */
  unit(): number {
    return this.bits() / 2 ** 32
  }

  /** A whole number from `least` to `most`, both included. */
  whole(least: number, most: number): number {
    return least + Math.floor(this.unit() * (most - least + 1))
  }

  pick<Item>(items: readonly Item[]): Item {
    return items[Math.floor(this.unit() * items.length)] as Item
  }

  /**
   * A rank from 0 to `count - 1` whose weight falls with `(rank + head) ** -steepness` (between 0 and 1): few ranks
   * come often, most rarely, as authors, sales and answers do. The head keeps the first from taking it all.
   */
  rank(count: number, steepness: number): number {
    const head = Math.min(20, count / 20)
    const power = 1 - steepness
    const low = head ** power
    const high = (head + count) ** power
    return Math.min(count - 1, Math.floor((low + this.unit() * (high - low)) ** (1 / power) - head))
  }

  /** The UUIDv7 of that time, in microseconds since 1970: ids sort by it to the millisecond. */
  uuid(time: number): string {
    const random = new Uint8Array(Uint32Array.of(this.bits(), this.bits(), this.bits(), this.bits()).buffer)
    return v7({ msecs: Math.floor(time / 1000), random })
  }
}

/** A time in microseconds since 1970 as PostgreSQL reads it. */
export function timeText(time: number): string {
  const [whole = ''] = new Date(Math.floor(time / 1000)).toISOString().split('Z')
  return `${whole}${String(time % 1000).padStart(3, '0')}Z`
}

/** The row of a rank, a permutation of `0 … count - 1`: what comes often does not stand together. Rank 0 is row 1. */
export function spread(rank: number, count: number): number {
  let step = 7919
  while (greatestDivisor(step, count) > 1) step++
  return (rank * step + 1) % count
}

function greatestDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestDivisor(b, a % b)
}

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193)
  return value
}
