import type { Config } from '../core/config.js'
import { type CacheNumbers, fact, type JobCount } from '../core/events.js'
import type { Log } from '../core/log.js'
import type { Database } from '../db/database.js'
import { detect } from './detectors.js'
import { measureFacts } from './metrics.js'
import type { Exports } from './sdk.js'
import { createSeldom } from './seldom.js'
import { tellSlow } from './slow.js'
import { traceFacts } from './traces.js'

/** What is observed, and where it is told. */
export interface Observed {
  readonly db: Database
  readonly log: Log
  /** The operations whose names are labels of metrics. */
  readonly operations: ReadonlySet<string>
  readonly exports: Exports
  /** Tells what is in the queue of jobs; absent where others tell it. */
  readonly countJobs?: () => Promise<JobCount[]>
  /** Tells what the cache holds; absent where there is none. */
  readonly readCache?: () => CacheNumbers
}

/** In ms: how long a finding that was logged is only counted. */
const restAfterFinding = 600_000

/** Sets the readers of the house's facts to work; the answer stops them. */
export function observe(config: Config, { db, log, operations, exports, countJobs, readCache }: Observed): () => void {
  const slowStatement = config.SLOW_STATEMENT_MS
  const isNew = createSeldom(restAfterFinding)
  const stops = [
    ...(config.DETECTORS_RATIO > 0 ? [detect(config.DETECTORS_RATIO)] : []),
    tellSlow(config, db, log),
    fact('finding.made').listen(({ message, ...finding }) => {
      if (isNew(`${finding.kind} ${finding.statement} ${finding.field}`)) log.warn({ finding }, message)
    }),
    fact('circuit.changed').listen(({ remote, isOpen }) => {
      if (isOpen) log.warn({ remote }, 'a service fails: it is not asked for a while')
      else log.info({ remote }, 'the service answers again')
    }),
    ...(exports.traces ? [traceFacts(config.FIELD_SPANS_TOKEN)] : []),
    ...(exports.metrics ? [measureFacts({ db, operations, slowStatement, countJobs, readCache })] : []),
  ]
  return () => {
    for (const stop of stops) stop()
  }
}
