/** Why there is no answer: no connection; its circuit is open; or it did not come in time. */
export type RedisReason = 'DISCONNECTED' | 'CIRCUIT_OPEN' | 'TIMEOUT'

const told: Readonly<Record<RedisReason, string>> = {
  DISCONNECTED: 'There is no connection to Redis.',
  CIRCUIT_OPEN: 'Redis fails, and is not asked for a while.',
  TIMEOUT: 'Redis did not answer in time.',
}

/** Redis gave no answer. Whether the command was done is unknown, unless it was not sent at all. */
export class RedisUnavailable extends Error {
  constructor(readonly reason: RedisReason) {
    super(told[reason])
    this.name = 'RedisUnavailable'
  }
}
