import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, request as openRequest, type RequestOptions } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { Client } from 'pg'
import type { Viewer } from '../../src/graph/context.js'
import { encodeId } from '../../src/graph/node.js'
import { tokenFor } from '../support.js'

export const fieldSpansToken = 'the token of field spans'

/** A request as a client sends it, in a trace of the client's own. */
export interface Request {
  readonly document: string
  readonly variables?: Record<string, unknown> | undefined
  readonly as?: Viewer | undefined
  readonly headers?: Record<string, string>
  /** Whether the client's own span is. */
  readonly isSampled?: boolean
  /** In ms: it does not wait for the answer any longer. */
  readonly patience?: number
}

export interface Sent {
  readonly traceId: string
  /** The client's span. */
  readonly parentId: string
  /** The document's hash, as spans tell it. */
  readonly hash: string
  // biome-ignore lint/suspicious/noExplicitAny: an answer has the shape of its operation
  readonly answer: any
}

/** Every text that begins so is a value: none may be told to anybody. */
export const secret = 'kestrel'

/** Known by name, as operations that clients send. */
export const known = {
  tree: `query Tree($first: Int!, $name: String = "${secret}-default") {
    things(first: $first) { nodes { name box { label allThings { name } } } }
    literal: things(filter: { name: "${secret}-literal" }) { nodes { name } }
    variable: things(filter: { name: $name }) { nodes { name } }
  }`,
  put: 'mutation Put($input: AddThingInput!) { addThing(input: $input) { thing { name } errors { code } } }',
}

const list = (count: number, field: (index: number) => string) =>
  Array.from({ length: count }, (_, i) => field(i)).join(' ')

/** What is asked of the house, one after another; rows are as `fill` made them. */
export function requestsOf({ boxId }: Rows, elsewhere: string): Record<string, Request> {
  const tree = { document: known.tree, variables: { first: 5, name: `${secret}-variable` } }
  const put = (name: string, box = boxId) => ({
    document: known.put,
    variables: { input: { boxId: encodeId('Box', box), name: `${secret}-${name}` } },
  })
  return {
    tree,
    again: tree,
    planned: tree,
    fields: { ...tree, headers: { 'x-field-spans': fieldSpansToken } },
    wrongToken: { ...tree, headers: { 'x-field-spans': `${fieldSpansToken}!` } },
    unsampled: { ...tree, isSampled: false },
    fan: { document: `query Fan { ${list(20, (i) => `p${i}: probe(number: ${i}) { number label }`)} }` },
    partial: { document: `query Partial { ${list(12, (i) => `d${i}: divide(by: 0)`)} }` },
    empty: { document: 'query Empty { things(first: 1000) { nodes { name } } }' },
    late: {
      document:
        'query Late { things(first: 2) { nodes { box { label } } } never: things(first: -1) { nodes { name } } }',
    },
    unparsable: { document: `{ things("${secret}-unparsable") }` },
    invalid: { document: `{ things(first: "${secret}-invalid", orderBy: { field: ${secret} }) { nothing } }` },
    uncoerced: {
      document:
        'query Uncoerced($first: Int!, $by: ThingOrder) { things(first: $first, orderBy: $by) { nodes { name } } }',
      variables: { first: `${secret}-first`, by: { field: `${secret}-field`, direction: 'ASC' } },
    },
    put: put('put'),
    taken: put('put'),
    lost: put('lost', randomUUID()),
    forbidden: { document: '{ secret }' },
    called: {
      document: 'query Called($url: String!) { called(url: $url) loaded(url: $url) }',
      variables: { url: `${elsewhere}/?q=${secret}-query` },
    },
    gone: { document: '{ sleep(seconds: 0.9) }', patience: 600 },
    slow: { document: '{ sleep(seconds: 0.8) }' },
    last: { document: 'query Last { things(first: 1) { nodes { name } } }' },
  }
}

export interface Rows {
  readonly boxId: string
  /** Every key that a row has. */
  readonly ids: readonly string[]
}

/** Some boxes with things in them. */
export async function fill(database: string): Promise<Rows> {
  const client = new Client(database)
  await client.connect()
  await client.query(
    `insert into boxes (id, label, secret) select gen_random_uuid(), '${secret}-label', '' from generate_series(1, 3)`,
  )
  await client.query(`
    insert into things (id, box_id, name, size, weight)
    select gen_random_uuid(), boxes.id, '${secret}-' || gen_random_uuid(), n, 1 from boxes, generate_series(1, 4) as n`)
  const { rows } = await client.query<{ id: string }>('select id from boxes union all select id from things')
  await client.end()
  const ids = rows.map(({ id }) => id)
  return { boxId: ids[0] as string, ids }
}

const anybody: Viewer = { id: randomUUID(), role: 'USER' }

/** Sends it, signed in, in a new trace. */
export async function send(
  server: string,
  { document, variables, as = anybody, headers, isSampled = true, patience }: Request,
): Promise<Sent> {
  const [traceId, parentId] = [randomBytes(16).toString('hex'), randomBytes(8).toString('hex')]
  const call = {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      authorization: `Bearer ${await tokenFor(as)}`,
      ...headers,
      traceparent: `00-${traceId}-${parentId}-${isSampled ? '01' : '00'}`,
    },
    body: JSON.stringify({ query: document, variables }),
  }
  const url = `${server}/graphql`
  const answer = patience ? await leave(url, call, patience) : await (await fetch(url, call)).json()
  return { traceId, parentId, hash: `sha256:${createHash('sha256').update(document).digest('hex')}`, answer }
}

/** Goes without an answer. By a connection of its own: `fetch` would open another one, and keep it unused. */
async function leave(url: string, { body, ...call }: RequestOptions & { body: string }, patience: number) {
  const request = openRequest(url, { ...call, agent: false })
  request.on('error', () => {})
  request.end(body)
  await sleep(patience)
  request.destroy()
  return {}
}

/** Another server, which remembers the `traceparent` of what it is asked. */
export async function startElsewhere() {
  const asked: string[] = []
  const server = createServer(({ headers }, response) => {
    asked.push(String(headers.traceparent))
    response.end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, asked, close: () => server.close() }
}
