import type { Entry } from '../cache/memory.js'
import type { OperationInfo } from '../core/request.js'
import type { Habit } from './habits.js'
import type { Question } from './question.js'

/** An answer as it is kept: the same bytes for all whom it is for. */
export interface Answer {
  readonly body: Buffer
  /** In quotes. */
  readonly etag: string
  readonly operation: OperationInfo
  /** Whether it is for one viewer only. */
  readonly isPrivate: boolean
}

/** An answer that has just come, and the scope of those whom it is for. */
export interface Landed {
  readonly entry: Entry<Answer>
  readonly scope: string
}

/** The scope of what is the same for everybody. */
export const everybody = ''

/** A question, who asks it, and what is known of answers to its document. */
export interface Asking {
  readonly question: Question
  readonly scope: string
  readonly habit: Pick<Habit, 'whom'>
}

/** A question that is being answered. */
export interface Flight {
  /** In ms since 1970. */
  readonly began: number
  readonly landed: Promise<Landed | undefined>
  /** With nothing where the answer is for nobody else: so the next ones to its document may be. Once is enough. */
  land(landed: Landed | undefined): void
  /** It is not answered, or not as it should be, which says nothing of the next one; without effect once it has landed. */
  drop(): void
}

/** The questions that are being answered: who asks the same meanwhile waits for that answer. */
export class Flights {
  private readonly flying = new Map<string, Flight>()

  /**
   * The answer to the same question that is on its way, if it is for that scope, was begun later than `after` and is still
   * good; else a flight of one's own. Whoever waited in vain waits for the next one once more.
   */
  async join(asking: Asking, after: number, isGood: (landed: Landed) => boolean): Promise<Landed | Flight> {
    for (let attempt = 0; attempt < 2; attempt++) {
      const flight = this.flying.get(idOf(asking))
      if (!flight || flight.began <= after) break
      const landed = await flight.landed
      const isForMe = landed?.scope === everybody || landed?.scope === asking.scope
      if (landed && isForMe && isGood(landed)) return landed
    }
    return this.begin(asking)
  }

  private begin(asking: Asking): Flight {
    const { promise, resolve } = Promise.withResolvers<Landed | undefined>()
    const { habit } = asking
    const id = idOf(asking)
    const isAlone = habit.whom === 'request'
    let isOver = false
    const end = (landed: Landed | undefined) => {
      isOver = true
      if (this.flying.get(id) === flight) this.flying.delete(id)
      resolve(landed)
    }
    const flight: Flight = {
      began: Date.now(),
      landed: promise,
      land: (landed) => {
        if (isOver) return
        habit.whom = !landed ? 'request' : landed.scope === everybody ? 'everybody' : 'viewer'
        end(landed)
      },
      drop: () => end(undefined),
    }
    if (!isAlone) this.flying.set(id, flight)
    return flight
  }
}

function idOf({ question: { key }, scope, habit }: Asking): string {
  return habit.whom === 'viewer' ? key + scope : key
}
