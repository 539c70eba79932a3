import type { z } from 'zod'
import { type Call, RemoteFailure } from './remote.js'

/** Where one service is. */
export interface Place {
  readonly name: string
  readonly url: URL
}

/** In bytes, as unpacked. */
const largestAnswer = 1024 * 1024

/** One request and its answer. @throws RemoteFailure REFUSED or INVALID, or whatever kept the two from meeting. */
export async function exchange<Answer>(place: Place, call: Call<Answer>, signal: AbortSignal): Promise<Answer> {
  const { path, method = 'GET', body } = call
  const { origin, pathname, username, password } = place.url
  const response = await fetch(origin + pathname.replace(/\/$/, '') + path, {
    method,
    // Where it leads to is nobody's decision but the configuration's.
    redirect: 'manual',
    signal,
    headers: {
      accept: 'application/json',
      ...(username && { authorization: `Basic ${encode(`${username}:${password}`)}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  if (response.ok) return read(place, call.schema, response)
  const retryAfter = delayOf(response.headers.get('retry-after'))
  await response.body?.cancel()
  throw new RemoteFailure(place.name, 'REFUSED', { status: response.status, retryAfter })
}

async function read<Answer>({ name }: Place, schema: z.ZodType<Answer>, { status, body }: Response): Promise<Answer> {
  const chunks: Uint8Array[] = []
  let size = 0
  for await (const chunk of body ?? []) {
    size += chunk.length
    if (size > largestAnswer)
      throw new RemoteFailure(name, 'INVALID', { status, cause: new Error(`More than ${largestAnswer} bytes.`) })
    chunks.push(chunk)
  }
  try {
    const text = Buffer.concat(chunks).toString()
    return schema.parse(text === '' ? undefined : JSON.parse(text))
  } catch (cause) {
    throw new RemoteFailure(name, 'INVALID', { status, cause })
  }
}

function encode(credentials: string): string {
  return Buffer.from(decodeURIComponent(credentials)).toString('base64')
}

/** In ms; of seconds, or until a date. */
function delayOf(retryAfter: string | null): number | undefined {
  if (retryAfter === null) return undefined
  const delay = /^\d+$/.test(retryAfter) ? Number(retryAfter) * 1_000 : Date.parse(retryAfter) - Date.now()
  return Number.isNaN(delay) ? undefined : Math.max(delay, 0)
}
