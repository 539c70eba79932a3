import type { Config } from '../core/config.js'
import { type Facts, fact } from '../core/events.js'
import type { Log } from '../core/log.js'
import { refuseNamesakes } from '../core/names.js'
import { type Going, Line } from './line.js'
import { type Call, type Remote, RemoteFailure } from './remote.js'

/** The ways to other services. */
export interface Remotes {
  /**
   * What the service answers, checked. Retried where that is safe, within the service's timeout and retry budget; not
   * tried at all while it fails. @throws RemoteFailure, or the reason of the call's signal.
   */
  call<Answer>(remote: Remote, call: Call<Answer>): Promise<Answer>
  /** Gives up the calls that are still going on. */
  close(): void
}

const called = fact('remote.called')

/**
 * Opens the ways to these services; says in the log which of them have no URL: calls of those are UNAVAILABLE.
 * @throws Error where two have one name.
 */
export function createRemotes(
  { REMOTE_URLS }: Pick<Config, 'REMOTE_URLS'>,
  remotes: readonly Remote[],
  log: Log,
): Remotes {
  const urls = new Map(REMOTE_URLS)
  const lines = new Map(remotes.map((remote) => [remote, open(remote, urls.get(remote.name))]))
  const names = [...lines.keys()].map(({ name }) => name)
  refuseNamesakes('services', names)
  const missing = names.filter((name) => !urls.has(name))
  if (missing.length > 0) log.warn({ remotes: missing }, 'services without a URL in REMOTE_URLS: they cannot be called')
  const unknown = [...urls.keys()].filter((name) => !names.includes(name))
  if (unknown.length > 0) log.warn({ remotes: unknown }, 'REMOTE_URLS names services that nothing calls')

  const closing = new AbortController()
  return {
    async call(remote, call) {
      if (!lines.has(remote)) throw new Error(`No slice says that it calls ${remote.name}.`)
      if (!call.path.startsWith('/')) throw new Error(`A path of ${remote.name} begins with a slash.`)
      const signal = call.signal ? AbortSignal.any([closing.signal, call.signal]) : closing.signal
      const going = { call, signal, attempts: 0 }
      const began = performance.now()
      let reason: Facts['remote.called']['reason']
      try {
        return await run(remote, lines.get(remote), going)
      } catch (error) {
        reason = error instanceof RemoteFailure ? error.reason : 'CANCELLED'
        throw error
      } finally {
        const duration = performance.now() - began
        if (called.heard) called.publish({ remote: remote.name, reason, duration, attempts: going.attempts })
      }
    },
    close: () => closing.abort(new Error('The process ends.')),
  }
}

function open(remote: Remote, url: URL | undefined): Line | undefined {
  return url && new Line(remote, url)
}

async function run<Answer>(remote: Remote, line: Line | undefined, going: Going<Answer>): Promise<Answer> {
  going.signal.throwIfAborted()
  if (!line) throw new RemoteFailure(remote.name, 'UNAVAILABLE', { cause: new Error('It has no URL in REMOTE_URLS.') })
  return line.call(going)
}
