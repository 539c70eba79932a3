import { Client as Connection, type Dispatcher } from 'undici'
import type { Asked } from './client.js'

export interface Bounds {
  readonly concurrency: number
  /** It ends with the first of these. */
  readonly count: number
  readonly seconds: number
}

export interface Load {
  readonly requests: number
  readonly seconds: number
  /** Milliseconds, sorted. */
  readonly latencies: Float64Array
}

export interface Response {
  readonly status: number
  readonly etag: string | undefined
  readonly text: string
}

/** One request on a connection of its own. */
export async function send(url: string, asked: Asked): Promise<Response> {
  const connection = new Connection(url)
  try {
    const { statusCode, headers, body } = await connection.request(options(asked))
    return { status: statusCode, etag: headers.etag as string | undefined, text: await body.text() }
  } finally {
    await connection.close()
  }
}

/** The body of an answer as text. Throws for any status but 200, and 304 where one asks for what one does not have. */
export async function ask(url: string, asked: Asked): Promise<string> {
  const { status, text } = await send(url, asked)
  if (status !== 200 && status !== 304) throw new Error(`${asked.path} answered ${status}: ${text.slice(0, 500)}`)
  return text
}

/**
 * Sends `next(0)`, `next(1)`, … on `concurrency` kept-alive connections, each its next one when its last is answered.
 * Throws where an answer is no 200 or holds GraphQL errors.
 */
export async function runLoad(url: string, next: (index: number) => Asked, bounds: Bounds): Promise<Load> {
  const connections = Array.from({ length: bounds.concurrency }, () => new Connection(url, { pipelining: 1 }))
  const latencies: number[] = []
  const started = performance.now()
  const end = started + bounds.seconds * 1000
  let index = 0

  async function work(connection: Connection): Promise<void> {
    while (index < bounds.count && performance.now() < end) {
      const asked = next(index++)
      const sent = performance.now()
      await exchange(connection, asked)
      latencies.push(performance.now() - sent)
    }
  }

  try {
    await Promise.all(connections.map(work))
  } finally {
    await Promise.all(connections.map((connection) => connection.destroy()))
  }
  const seconds = (performance.now() - started) / 1000
  return { requests: latencies.length, seconds, latencies: Float64Array.from(latencies).sort() }
}

const failed = Buffer.from('"errors":')

/** The answer is looked at only as bytes: this process shares the cores with the server. */
function exchange(connection: Connection, asked: Asked): Promise<void> {
  return new Promise((resolve, reject) => {
    let status = 0
    const wrong = (part: Buffer) =>
      reject(new Error(`${asked.path} answered ${status}: ${part.toString().slice(0, 500)}\n${asked.body ?? ''}`))
    connection.dispatch(options(asked), {
      onRequestStart: () => {},
      onResponseStart: (_controller, statusCode) => {
        status = statusCode
      },
      onResponseData: (_controller, part) => {
        if (status !== 200 || part.includes(failed)) wrong(part)
      },
      onResponseEnd: () => resolve(),
      onResponseError: (_controller, error) => reject(error),
    })
  })
}

const json = { 'content-type': 'application/json' }

function options({ path, body, headers }: Asked): Dispatcher.DispatchOptions & { path: string } {
  if (body === undefined) return { method: 'GET', path, headers }
  return { method: 'POST', path, body, headers: headers ? { ...json, ...headers } : json }
}
