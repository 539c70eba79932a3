import { Agent, request } from 'node:http'
import { isMainThread, parentPort, workerData } from 'node:worker_threads'

/** What a load sends, to the end of its time. */
export interface Load {
  readonly url: string
  /** Sent in turn, over and over: ready bodies of POST requests. */
  readonly bodies: readonly string[]
  readonly authorization?: string | undefined
  readonly connections: number
  readonly seconds: number
}

/** Answers how many requests were answered; throws at the first that is not 200 or holds errors. */
export async function runLoad({ url, bodies, authorization, connections, seconds }: Load): Promise<number> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const headers = { 'content-type': 'application/json', ...(authorization && { authorization }) }
  const end = performance.now() + seconds * 1000
  let sent = 0
  const send = (body: string) =>
    new Promise<void>((resolve, reject) => {
      const call = request(url, { method: 'POST', agent, headers }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk) => chunks.push(chunk))
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString()
          if (response.statusCode === 200 && !text.startsWith('{"errors"')) resolve()
          else reject(new Error(`It was answered ${response.statusCode}: ${text.slice(0, 500)}`))
        })
      })
      call.on('error', reject)
      call.end(body)
    })
  const work = async () => {
    while (performance.now() < end) await send(bodies[sent++ % bodies.length] as string)
  }
  await Promise.all(Array.from({ length: connections }, work))
  agent.destroy()
  return sent
}

// On a thread of its own, where the profile of the main one does not see it.
if (!isMainThread && workerData?.bodies) parentPort?.postMessage(await runLoad(workerData))
