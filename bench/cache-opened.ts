import type { Row } from './cache-rows.js'
import type { Asked } from './client.js'
import { send } from './load.js'
import type { Running } from './processes.js'
import { type Bench, checkShape, openServer, requestOf } from './rounds.js'
import type { Server } from './servers.js'
import type { Sample } from './shapes.js'

/** A row's server, ready to be asked in the row's manner. */
export interface Opened {
  readonly row: Row
  readonly running: Running
  readonly bench: Bench
  /** As {@link Row.numbers} has them. */
  readonly numberOf: (index: number) => number
  /** How many requests that share of its keys allows. */
  readonly most: (share: number) => number
  /** Of its answers. */
  readonly status: number
}

/** Numbers that checking asks, and as many more for counting. */
const reserved = 200

/** Starts the rows' servers, adds them to `running`, and checks that they answer as F0 does. */
export async function openRows(
  bench: Bench,
  { rows, many, f0 }: { rows: readonly Row[]; many: Sample; f0: Server },
  running: Running[],
): Promise<Opened[]> {
  const floor = await openServer(bench, f0)
  running.push(floor)
  for (const server of new Set(rows.map(({ server }) => server)))
    if (server !== f0) running.push(await openServer(bench, server, floor))
  const opened: Opened[] = []
  for (const row of rows) {
    const started = running.find(({ server }) => server === row.server) as Running
    const one = await openRow(bench, started, { row, many })
    // The other manners answer a part of that, or nothing.
    const isWhole = row.manner === 'GET' || row.manner === 'signed in'
    if (started !== floor && !row.server.fixed)
      await checkShape(bench, floor, isWhole ? one.running : started, row.shape)
    opened.push(one)
  }
  return opened
}

async function openRow(bench: Bench, started: Running, { row, many }: { row: Row; many: Sample }): Promise<Opened> {
  const { shape, numbers } = row
  const running = await inManner(bench, started, row)
  const { status } = await send(running.url, requestOf(bench, running.server, shape, 0))
  if (numbers) {
    const numberOf = (index: number) => numbers[index % numbers.length] as number
    return { row, running, bench, numberOf, most: () => Number.POSITIVE_INFINITY, status }
  }
  const keys = shape === 'S1' ? many.postIds.length : many.places.length
  let next = reserved
  return {
    row,
    running,
    bench: { ...bench, sample: many },
    numberOf: () => next++,
    most: (share) => Math.floor((keys - 2 * reserved) * share),
    status,
  }
}

/** The same server, whose client sends what it is asked in another way. */
async function inManner(bench: Bench, running: Running, { shape, manner }: Row): Promise<Running> {
  const { server, url } = running
  const asks = server.client.asks[shape] as (variables: object) => Asked
  const read = () => send(url, toGet(requestOf(bench, server, shape, 0)))
  // What the second answer has, the cache gives.
  const etag = manner === '304' ? (await read().then(read)).etag : undefined
  const changes: Record<Row['manner'], (asked: Asked) => Asked> = {
    POST: (asked) => asked,
    'signed in': (asked) => addHeader(asked, 'authorization', `Bearer ${bench.sample.buyers[0]?.token}`),
    GET: toGet,
    '304': (asked) => addHeader(toGet(asked), 'if-none-match', etag ?? '"none"'),
    'nothing shared': ({ body, ...asked }) => ({ ...asked, body: body?.replaceAll(' author { name }', '') }),
  }
  const client = { ...server.client, asks: { [shape]: (variables: object) => changes[manner](asks(variables)) } }
  return { ...running, server: { ...server, client } }
}

function addHeader(asked: Asked, name: string, value: string): Asked {
  return { ...asked, headers: { ...asked.headers, [name]: value } }
}

/** A GraphQL request as GET, with what a browser would not send by itself. */
function toGet({ path, body }: Asked): Asked {
  const { query, variables } = JSON.parse(body ?? '{}')
  const parameters = new URLSearchParams({ query, ...(variables && { variables: JSON.stringify(variables) }) })
  return { path: `${path}?${parameters}`, headers: { 'apollo-require-preflight': 'true' } }
}
