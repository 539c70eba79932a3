import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { Random } from '../../src/graph/random.js'
import { startSmtp } from '../mail/smtp.js'
import { compileHouse, type House } from '../observe/process.js'
import { startBusiness, type TestApp } from '../support.js'
import { addSubscribers, progress, send } from './newsletters.js'
import { addUser } from './shop/goods.js'

interface Kills {
  readonly subscribers: number
  readonly kills: number
  /** After how many of the kills, the first ones, the house takes its time to notice; after others that time is over at once. */
  readonly waited: number
}

/**
 * A newsletter whose worker is killed and started again, at moments that a seed chooses: that of KILL_SEED, or a new
 * one. What the SMTP server takes goes on to two transports: one delivers a Message-ID once, the other whatever it gets.
 */
export function describeNewsletterKills({ subscribers, kills, waited }: Kills): void {
  let [house, api] = [] as unknown as [House, TestApp]
  beforeAll(async () => {
    ;[house, api] = await Promise.all([compileHouse(), startBusiness()])
  })
  afterAll(async () => {
    await api[Symbol.asyncDispose]()
    await house[Symbol.asyncDispose]()
  })

  test(`${kills} kills lose none of ${subscribers} messages, and repeat one each at most`, async () => {
    const seed = Number(process.env.KILL_SEED ?? Math.floor(Math.random() * 2 ** 31))
    const draw = new Random(seed, 0)
    const moments = Array.from({ length: kills }, () => draw.whole(1, subscribers - 1)).sort((a, b) => a - b)
    await using smtp = await startSmtp()
    const admin = await addUser(api, 'ADMIN')
    const emails = await addSubscribers(api, subscribers)
    const work = () => house.work({ DATABASE_URL: api.url, SMTP_URL: smtp.url })
    const began = performance.now()
    const { newsletter } = await send(api, admin)
    let worker = await work()
    for (const [index, moment] of moments.entries()) {
      // A worker that has just begun sends at least one.
      const enough = Math.max(moment, smtp.taken.length + 1)
      while (smtp.taken.length < enough) await sleep(1)
      // Between two messages, or anywhere within one.
      await sleep(draw.unit() * 10)
      await worker.kill()
      if (index >= waited) await age(api)
      worker = await work()
    }
    const isSent = async () => (await progress(api, admin, newsletter.id)).status === 'SENT'
    while (!(await isSent())) await sleep(100)
    const seconds = Math.round((performance.now() - began) / 100) / 10
    expect(await worker.stop()).toMatchObject({ code: 0 })

    const once = new Map(smtp.taken.map(({ id, to }) => [id, to]))
    const repeats = smtp.taken.length - once.size
    const told = { kills, deliveries: { once: once.size, each: smtp.taken.length }, repeats, seconds, KILL_SEED: seed }
    console.log(JSON.stringify(told))
    expect([...once.values()].sort()).toEqual(emails.sort())
    expect(repeats).toBeLessThanOrEqual(kills)
    const counts = { sent: subscribers, failed: 0, total: subscribers }
    expect(await progress(api, admin, newsletter.id)).toEqual({ status: 'SENT', ...counts })
    expect(await api.sql('select id from graphile_worker.jobs')).toEqual([])
  })
}

/** Has what was locked until now look as if it had been for a minute. */
async function age(api: TestApp): Promise<void> {
  for (const table of ['_private_jobs', '_private_job_queues'])
    await api.sql(`update graphile_worker.${table} set locked_at = locked_at - interval '1 minute'`)
}
