import { setTimeout as sleep } from 'node:timers/promises'
import { type Attributes, type BatchObservableCallback, type Meter, metrics } from '@opentelemetry/api'
import { type CacheNumbers, type Facts, fact, type JobCount, type Scheme } from '../core/events.js'
import type { Database } from '../db/database.js'
import { codeOf, methodOf, other, typeOf } from './attributes.js'
import { measureCache } from './cache-metrics.js'
import { type InstrumentName, instruments } from './instruments.js'
import { Pending } from './pending.js'

export interface Measured {
  readonly db: Database
  /** The operations that are labelled by their names. */
  readonly operations: ReadonlySet<string>
  /** In ms. */
  readonly slowStatement: number
  readonly countJobs?: (() => Promise<JobCount[]>) | undefined
  readonly readCache?: (() => CacheNumbers) | undefined
}

const system = { 'db.system.name': 'postgresql' }
const nameOf = (pool: string) => ({ 'db.client.connection.pool.name': pool })
const primary = nameOf('primary')

/** In ms: who collects gives up after ten seconds, and then has nothing at all. */
const patience = 1_000

/** Makes metrics of facts, by {@link instruments}. The answer stops it. */
export function measureFacts({ db, operations, slowStatement, countJobs, readCache }: Measured): () => void {
  const meter = metrics.getMeter('plumbline')
  const pending = new Pending(meter)
  const stops = [
    ...measureRequests(pending),
    ...measureOperations(meter, pending, operations),
    ...measureDatabase(meter, pending, slowStatement),
    ...measureJobs(meter),
    ...measureRemotes(meter),
    observeResources(meter, db, pending),
    ...(countJobs ? [observeJobs(meter, countJobs)] : []),
    ...(readCache ? measureCache(meter, readCache) : []),
    () => pending.give(),
  ]
  return () => {
    for (const stop of stops) stop()
  }
}

function measureRequests(pending: Pending) {
  const describe = (method: string, scheme: Scheme) => ({ 'http.request.method': method, 'url.scheme': scheme })
  const active = pending.level('http.server.active_requests', describe)
  const activeGraphql = pending.level('graphql.server.active_requests', () => ({}))
  const duration = pending.histogram(
    'http.server.request.duration',
    (method: string, scheme: Scheme, status: number, route: string | undefined) => ({
      ...describe(method, scheme),
      'http.response.status_code': status,
      ...(route && { 'http.route': route }),
    }),
  )
  const change = ({ method, path, scheme }: Facts['request.started' | 'request.finished'], by: number) => {
    active(by, methodOf(method), scheme)
    if (path === '/graphql') activeGraphql(by)
  }
  return [
    fact('request.started').listen((request) => change(request, 1)),
    fact('request.finished').listen((request) => {
      const { method, scheme, route, status, duration: ms } = request
      change(request, -1)
      duration(ms / 1000, methodOf(method), scheme, status, route)
    }),
  ]
}

function measureOperations(meter: Meter, pending: Pending, known: ReadonlySet<string>) {
  const describe = (name: string, type: string | undefined, failure: string | undefined): Attributes => ({
    'graphql.operation.name': name,
    ...(type && { 'graphql.operation.type': type }),
    ...(failure && { 'error.type': failure }),
  })
  const duration = pending.histogram('graphql.server.request.duration', describe)
  const executing = pending.histogram('graphql.server.request.execute.duration', describe)
  const batchSize = pending.histogram('graphql.dataloader.batch.size', (loader: string) => ({
    'graphql.dataloader.name': loader,
  }))
  const parsing = createHistogram(meter, 'graphql.server.request.parse.duration')
  const validating = createHistogram(meter, 'graphql.server.request.validate.duration')
  const errorCount = createCounter(meter, 'graphql.server.response.error_count')
  const findings = createCounter(meter, 'plumbline.findings')
  return [
    fact('operation.parsed').listen(({ duration: ms, error }) =>
      parsing.record(ms / 1000, error ? { 'error.type': 'GRAPHQL_PARSE_FAILED' } : {}),
    ),
    fact('operation.validated').listen(({ duration: ms, errors }) =>
      validating.record(ms / 1000, errors > 0 ? { 'error.type': 'GRAPHQL_VALIDATION_FAILED' } : {}),
    ),
    fact('operation.finished').listen(({ operation: { name, type }, errors, duration: ms, executed }) => {
      const label = name !== undefined && known.has(name) ? name : other
      for (const error of errors) errorCount.add(1, describe(label, type, codeOf(error)))
      const failure = errors[0] && codeOf(errors[0])
      duration(ms / 1000, label, type, failure)
      if (executed !== undefined) executing(executed / 1000, label, type, failure)
    }),
    fact('batch.loaded').listen(({ batch: { loader, keys } }) => batchSize(keys, loader)),
    fact('finding.made').listen(({ kind }) => findings.add(1, { 'plumbline.finding.kind': kind })),
  ]
}

function measureDatabase(meter: Meter, pending: Pending, slowStatement: number) {
  const duration = pending.histogram(
    'db.client.operation.duration',
    (statement: string, failure: string | undefined) => ({
      'db.query.summary': statement,
      ...(failure && { 'error.type': failure }),
      ...system,
    }),
  )
  const waiting = pending.histogram('db.client.connection.wait_time', nameOf)
  const slow = createCounter(meter, 'plumbline.slow_statements')
  return [
    fact('statement.finished').listen(({ statement, duration: ms, wait, pool, inTransaction, error }) => {
      if (pool === 'primary' && ms > slowStatement) slow.add(1, { 'db.query.summary': statement })
      if (!inTransaction) waiting(wait / 1000, pool)
      duration(ms / 1000, statement, error === undefined ? undefined : typeOf(error))
    }),
    fact('transaction.committed').listen(({ wait }) => waiting(wait / 1000, 'primary')),
  ]
}

function measureJobs(meter: Meter) {
  const sent = createCounter(meter, 'messaging.client.sent.messages')
  const duration = createHistogram(meter, 'messaging.process.duration')
  const waiting = createHistogram(meter, 'plumbline.jobs.wait_time')
  const dead = createCounter(meter, 'plumbline.jobs.dead')
  return [
    fact('job.enqueued').listen(({ job }) => sent.add(1, describeJob(job))),
    fact('job.finished').listen(({ job: { name, wait }, duration: ms, error, isDead }) => {
      const attributes = describeJob(name)
      waiting.record(Math.max(0, wait) / 1000, attributes)
      duration.record(ms / 1000, error === undefined ? attributes : { ...attributes, 'error.type': typeOf(error) })
      if (isDead) dead.add(1, attributes)
    }),
  ]
}

function measureRemotes(meter: Meter) {
  const duration = createHistogram(meter, 'plumbline.remote.duration')
  const open = createUpDownCounter(meter, 'plumbline.remote.open_circuits')
  return [
    fact('remote.called').listen(({ remote, reason, duration: ms }) =>
      duration.record(ms / 1000, { 'plumbline.remote.name': remote, ...(reason && { 'error.type': reason }) }),
    ),
    fact('circuit.changed').listen(({ remote, isOpen }) =>
      open.add(isOpen ? 1 : -1, { 'plumbline.remote.name': remote }),
    ),
  ]
}

/** What is looked up when somebody collects, who is given what waits for them. */
function observeResources(meter: Meter, db: Database, pending: Pending): () => void {
  const amount = (name: InstrumentName) => meter.createObservableUpDownCounter(name, instruments[name])
  const count = amount('db.client.connection.count')
  const most = amount('db.client.connection.max')
  const queued = amount('db.client.connection.pending_requests')
  const memory = amount('process.memory.usage')
  const cpu = meter.createObservableCounter('process.cpu.time', instruments['process.cpu.time'])
  const observables = [count, most, queued, memory, cpu]
  const observe: BatchObservableCallback = (result) => {
    pending.give()
    const { idle, used, waiting, max } = db.pool
    const { user, system } = process.cpuUsage()
    result.observe(count, idle, { ...primary, 'db.client.connection.state': 'idle' })
    result.observe(count, used, { ...primary, 'db.client.connection.state': 'used' })
    result.observe(most, max, primary)
    result.observe(queued, waiting, primary)
    result.observe(memory, process.memoryUsage.rss())
    result.observe(cpu, user / 1e6, { 'cpu.mode': 'user' })
    result.observe(cpu, system / 1e6, { 'cpu.mode': 'system' })
  }
  meter.addBatchObservableCallback(observe, observables)
  return () => meter.removeBatchObservableCallback(observe, observables)
}

/** What is in the queue when somebody collects; or was, where the database does not say so soon. */
function observeJobs(meter: Meter, countJobs: () => Promise<JobCount[]>): () => void {
  const count = meter.createObservableGauge('plumbline.jobs.count', instruments['plumbline.jobs.count'])
  const age = meter.createObservableGauge('plumbline.jobs.oldest.age', instruments['plumbline.jobs.oldest.age'])
  // What is not said again stays as it was said last.
  const seen = new Map<string, JobCount>()
  const look = async () => {
    const counts = await countJobs()
    for (const { name } of seen.values()) seen.set(name, { name, waiting: 0, running: 0, dead: 0, dueSince: null })
    for (const jobs of counts) seen.set(jobs.name, jobs)
  }
  let looking: Promise<void> | undefined
  const observe: BatchObservableCallback = async (result) => {
    // Why it fails is told of the statement; one that waits is not joined by another.
    looking ??= look()
      .catch(() => {})
      .finally(() => {
        looking = undefined
      })
    await Promise.race([looking, sleep(patience, undefined, { ref: false })])
    for (const { name, dueSince, ...states } of seen.values()) {
      const attributes = describeJob(name)
      for (const [state, jobs] of Object.entries(states))
        result.observe(count, jobs, { ...attributes, 'plumbline.job.state': state })
      result.observe(age, dueSince ? Math.max(0, (Date.now() - Date.parse(dueSince)) / 1000) : 0, attributes)
    }
  }
  meter.addBatchObservableCallback(observe, [count, age])
  return () => meter.removeBatchObservableCallback(observe, [count, age])
}

function describeJob(name: string): Attributes {
  return { 'messaging.system': 'graphile_worker', 'messaging.destination.name': name }
}

function createHistogram(meter: Meter, name: InstrumentName) {
  return meter.createHistogram(name, instruments[name])
}

function createCounter(meter: Meter, name: InstrumentName) {
  return meter.createCounter(name, instruments[name])
}

function createUpDownCounter(meter: Meter, name: InstrumentName) {
  return meter.createUpDownCounter(name, instruments[name])
}
