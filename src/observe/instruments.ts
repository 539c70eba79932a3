import type { MetricOptions } from '@opentelemetry/api'

/** In seconds: half a millisecond to ten, for requests that take one and for those that wait for a timeout. */
const durations = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 10]
const sizes = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000]

const duration = (description: string): MetricOptions => ({
  unit: 's',
  description,
  advice: { explicitBucketBoundaries: durations },
})

/**
 * Every metric the house makes of its facts. The names are OpenTelemetry's, of its conventions and of its draft for
 * GraphQL, where those have one. Beside them are those of the runtime (`nodejs.*`, `v8js.*`), of outgoing requests
 * (`http.client.*`) and of the SDK (`otel.*`).
 */
export const instruments = {
  'http.server.request.duration': duration('Time until a request was answered.'),
  'http.server.active_requests': {
    unit: '{request}',
    description: 'Requests that are being served.',
  },
  'graphql.server.request.duration': duration('Time from a GraphQL request to its answer.'),
  'graphql.server.active_requests': {
    unit: '{request}',
    description: 'GraphQL requests that are being served.',
  },
  'graphql.server.request.parse.duration': duration('Time to parse a document that was not known.'),
  'graphql.server.request.validate.duration': duration('Time to validate a document that was not known.'),
  'graphql.server.request.execute.duration': duration('Time to execute an operation, its variables included.'),
  'graphql.server.response.error_count': {
    unit: '{error}',
    description: 'Errors that clients were told, by code.',
  },
  'graphql.dataloader.batch.size': {
    unit: '{key}',
    description: 'Keys that a loader fetched at once.',
    advice: { explicitBucketBoundaries: sizes },
  },
  'db.client.operation.duration': duration('Time that a statement took, without waiting for its connection.'),
  'db.client.connection.wait_time': duration('Time that a statement or transaction waited for its connection.'),
  'db.client.connection.count': {
    unit: '{connection}',
    description: 'Connections of the pool, by state.',
  },
  'db.client.connection.max': {
    unit: '{connection}',
    description: 'Connections that the pool may have.',
  },
  'db.client.connection.pending_requests': {
    unit: '{request}',
    description: 'Who waits for a connection of the pool.',
  },
  'messaging.client.sent.messages': {
    unit: '{message}',
    description: 'Jobs that were enqueued.',
  },
  'messaging.process.duration': duration('Time that an attempt at a job took.'),
  'plumbline.jobs.wait_time': duration('Time that a job had been due when an attempt at it began.'),
  'plumbline.jobs.dead': {
    unit: '{job}',
    description: 'Jobs that failed for the last time.',
  },
  'plumbline.jobs.count': {
    unit: '{job}',
    description: 'Jobs in the queue, by state, as each worker sees them: take the greatest.',
  },
  'plumbline.jobs.oldest.age': {
    unit: 's',
    description: 'How long the oldest waiting job has been due, as each worker sees it: take the greatest.',
  },
  'plumbline.remote.duration': duration('Time that a call to another service took, its retries included, by service.'),
  'plumbline.remote.open_circuits': {
    unit: '{circuit}',
    description: 'Services that are not asked for a while because they fail: 1 each.',
  },
  'plumbline.cache.reads': {
    unit: '{value}',
    description: 'Values that were looked for in the cache, by its name and where they were: memory, redis or missing.',
  },
  'plumbline.cache.fills': {
    unit: '{value}',
    description: 'Values that were put into the cache, by its name.',
  },
  'plumbline.cache.evictions': {
    unit: '{value}',
    description: 'Values that were dropped to make room in the process.',
  },
  'plumbline.cache.invalidations': {
    unit: '{tag}',
    description: 'Tags that writes of this process changed: what rests on them is read anew.',
  },
  'plumbline.cache.memory.usage': {
    unit: 'By',
    description: 'Memory that the cache of the process takes, as it reckons.',
  },
  'plumbline.slow_statements': {
    unit: '{statement}',
    description: 'Statements that took longer than SLOW_STATEMENT_MS.',
  },
  'plumbline.findings': {
    unit: '{finding}',
    description: 'What the detectors found, by kind.',
  },
  'process.memory.usage': { unit: 'By', description: 'Resident memory of the process.' },
  'process.cpu.time': { unit: 's', description: 'CPU time of the process, by mode.' },
} as const satisfies Record<string, MetricOptions>

export type InstrumentName = keyof typeof instruments
