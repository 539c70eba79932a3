import type { RequestListener } from 'node:http'
import { z } from 'zod'
import type { Context } from '../../graph/context.js'
import { defineRemote, type Remote } from '../../remote/remote.js'

/** What is to be sent, and where to. */
export interface Parcel {
  readonly grams: number
  /** ISO 3166's two letters. */
  readonly country: string
}

/** What every carrier is asked for, in a language of the demo's own. */
const quote = z.object({
  price: z.string().regex(/^\d{1,9}\.\d\d$/),
  currency: z.string().regex(/^[A-Z]{3}$/),
  days: z.int().min(0).max(365),
})

/** In cents. */
interface Tariff {
  readonly fixed: number
  readonly perKilo: number
  /** Beyond it the parcel is refused. */
  readonly mostKilos: number
  readonly days: number
}

/** Who is asked for quotes, each within its own time. */
export const carriers: readonly Remote[] = [
  defineRemote({
    name: 'dove-post',
    timeout: 800,
    attemptTimeout: 500,
    attempts: 2,
    standIn: quoteBy({ fixed: 390, perKilo: 60, mostKilos: 30, days: 4 }),
  }),
  defineRemote({
    name: 'arrow-express',
    timeout: 500,
    attempts: 2,
    standIn: quoteBy({ fixed: 990, perKilo: 140, mostKilos: 70, days: 1 }),
  }),
  defineRemote({
    name: 'mule-freight',
    timeout: 1_000,
    attempts: 2,
    standIn: quoteBy({ fixed: 2_900, perKilo: 15, mostKilos: 20_000, days: 9 }),
  }),
]

/** What that carrier takes for the parcel. @throws RemoteFailure */
export function askCarrier(ctx: Context, carrier: Remote, { grams, country }: Parcel) {
  const asked = new URLSearchParams({ grams: String(grams), country })
  return ctx.call(carrier, { path: `/quote?${asked}`, schema: quote })
}

/** A carrier of that tariff: the same parcel always has the same price, abroad twice that. */
function quoteBy({ fixed, perKilo, mostKilos, days }: Tariff): RequestListener {
  return ({ url = '' }, response) => {
    const asked = new URL(url, 'http://carrier').searchParams
    const kilos = Math.ceil(Number(asked.get('grams')) / 1_000)
    const isAbroad = asked.get('country') !== 'DE'
    const cents = (fixed + kilos * perKilo) * (isAbroad ? 2 : 1)
    const answer = { price: (cents / 100).toFixed(2), currency: 'EUR', days: isAbroad ? days * 2 : days }
    response.writeHead(kilos > mostKilos ? 422 : 200, { 'content-type': 'application/json' })
    response.end(kilos > mostKilos ? '' : JSON.stringify(answer))
  }
}
