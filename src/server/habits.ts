import type { Demand, Demands } from '../cache/demand.js'

/** What is known of the answers to a document. */
export interface Habit {
  /** Whom the last one was for: everybody, one viewer, or one request. */
  whom: 'everybody' | 'viewer' | 'request'
  /** Whether the same is asked again. */
  readonly demand: Demand
}

/** How many documents are remembered; the one that was asked longest ago goes first. */
const remembered = 10_000

/** What is known of documents. Those that seldom come again, with values written into them, are known from their second asking on. */
export class Habits {
  private readonly byDocument = new Map<string, Habit>()
  private readonly demand: Demand

  constructor(private readonly demands: Demands) {
    this.demand = demands.create()
  }

  find(document: string): Habit | undefined {
    const habit = this.byDocument.get(document)
    if (!habit) return undefined
    this.demand.found++
    this.byDocument.delete(document)
    this.byDocument.set(document, habit)
    return habit
  }

  /** Makes one known; undefined where that is not worth it, unless it `isSure`. */
  meet(document: string, isSure: boolean): Habit | undefined {
    return this.demand.admits([document]) || isSure ? this.add(document) : undefined
  }

  private add(document: string): Habit {
    const habit: Habit = { whom: 'everybody', demand: this.demands.create() }
    this.byDocument.set(document, habit)
    const [oldest] = this.byDocument.keys()
    if (this.byDocument.size > remembered && oldest !== undefined) this.byDocument.delete(oldest)
    return habit
  }
}
