import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

/** How it treats what it is sent; who is down has no receiver at all. */
export type Manner = 'healthy' | 'silent' | 'unavailable' | 'throttling'

/** A receiver of OTLP as a process of its own, whose work is in nobody's figures. */
export interface Receiver {
  readonly url: string
  /** How many spans it has been sent since it was asked last. */
  takeSpans(): Promise<number>
  stop(): Promise<void>
}

export async function startReceiver(manner: Manner): Promise<Receiver> {
  const child = fork(import.meta.filename, [manner])
  const { port } = (await next(child)) as { port: number }
  return {
    url: `http://127.0.0.1:${port}`,
    async takeSpans() {
      child.send('spans')
      return ((await next(child)) as { spans: number }).spans
    },
    async stop() {
      child.disconnect()
      await once(child, 'exit')
    },
  }
}

async function next(child: ChildProcess): Promise<unknown> {
  const [message] = await once(child, 'message')
  return message
}

const statuses = { healthy: 200, unavailable: 503, throttling: 429 }

function receive(manner: Manner): void {
  let spans = 0
  const server = createServer(async (request, response) => {
    if (manner === 'silent') return
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part)
    if (manner === 'healthy' && request.url === '/v1/traces') spans += countSpans(Buffer.concat(parts))
    response.writeHead(statuses[manner], manner === 'throttling' ? { 'retry-after': '1' } : {}).end()
  })
  server.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
  process.on('message', () => {
    process.send?.({ spans })
    spans = 0
  })
  process.on('disconnect', () => process.exit())
}

/** Of a request's resources (field 1) their scopes (2) and of these their spans (2). */
function countSpans(body: Buffer): number {
  const scopes = fieldsOf(body, 1).flatMap((resource) => fieldsOf(resource, 2))
  return scopes.reduce((sum, scope) => sum + fieldsOf(scope, 2).length, 0)
}

/** A protobuf message's fields of that number, in messages whose fields all have a length. */
function fieldsOf(message: Buffer, number: number): Buffer[] {
  const found: Buffer[] = []
  for (let at = 0; at < message.length; ) {
    const tag = message[at++] as number
    let length = 0
    for (let shift = 0, more = true; more; shift += 7) {
      const byte = message[at++] as number
      length += (byte & 127) << shift
      more = byte > 127
    }
    if (tag >> 3 === number) found.push(message.subarray(at, at + length))
    at += length
  }
  return found
}

if (import.meta.main) receive(process.argv[2] as Manner)
