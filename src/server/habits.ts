import type { Demand } from '../cache/demand.js'

/** What is known of the answers to a document. */
export interface Habit {
  /** Whom the last one was for: everybody, one viewer, or one request. */
  whom: 'everybody' | 'viewer' | 'request'
  /** Whether the same is asked again. */
  readonly demand: Demand
}

/** How many documents are remembered. */
const remembered = 10_000

export class Habits {
  private readonly byDocument = new Map<string, Habit>()

  constructor(private readonly createDemand: () => Demand) {}

  of(document: string): Habit {
    const known = this.byDocument.get(document)
    if (known) return known
    const habit: Habit = { whom: 'everybody', demand: this.createDemand() }
    this.byDocument.set(document, habit)
    const [oldest] = this.byDocument.keys()
    if (this.byDocument.size > remembered && oldest !== undefined) this.byDocument.delete(oldest)
    return habit
  }
}
