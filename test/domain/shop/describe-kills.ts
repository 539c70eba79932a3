import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { Viewer } from '../../../src/graph/context.js'
import { Random } from '../../../src/graph/random.js'
import { compileHouse, type Working } from '../../observe/process.js'
import { startBusiness, type TestApp } from '../../support.js'
import { addProduct, addUser, order } from './goods.js'

export interface Kills {
  readonly orders: number
  readonly kills: number
}

const products = 20
const stock = 100_000

/**
 * Two workers, of which one or the other is killed and begins anew while orders are placed, at moments that a seed
 * chooses: that of KILL_SEED, or a new one.
 */
export function describeKills({ orders, kills }: Kills): void {
  test(`${kills} workers are killed: of ${orders} orders each is settled once, and no job is lost`, async () => {
    await using house = await compileHouse()
    await using api = await startBusiness()
    const folder = await mkdtemp(join(tmpdir(), 'mail-'))
    const seed = Number(process.env.KILL_SEED ?? Math.floor(Math.random() * 2 ** 31))
    const draw = new Random(seed, 0)
    const variables = { DATABASE_URL: api.url, MAIL_FOLDER: folder, LOG_LEVEL: 'info' }
    const started: Working[] = []
    const begin = async () => {
      const worker = await house.work(variables)
      started.push(worker)
      return worker
    }
    const workers = [await begin(), await begin()]
    const began = performance.now()
    try {
      const buyers: Viewer[] = []
      while (buyers.length < 10) buyers.push(await addUser(api))
      const goods: string[] = []
      while (goods.length < products) goods.push(await addProduct(api, { stock }))
      for (let killed = 0; killed < kills; killed++) {
        const share = Math.floor(((killed + 1) * orders) / kills) - Math.floor((killed * orders) / kills)
        const placing = place(api, { orders: share, buyers, goods, draw })
        await sleep(draw.unit() * 500)
        const index = draw.whole(0, 1)
        await workers[index]?.kill()
        workers[index] = await begin()
        await placing
      }
      await until(api, 'select 1 from graphile_worker.jobs where attempts < max_attempts')
      const seconds = ((performance.now() - began) / 1_000).toFixed(1)
      const counts = await count(api)
      const mails = (await readdir(folder)).filter((name) => name.endsWith('.eml')).length
      const again = started.flatMap((worker) => worker.said().match(/"attempt":(?!1\b)/g) ?? []).length
      console.log(
        `KILL_SEED ${seed}, ${seconds} s, ${kills} kills, ${again} jobs begun again:`,
        JSON.stringify({ ...counts, mails }),
      )
      expect({ ...counts, mails }).toEqual({
        orders,
        settled: orders,
        moved: orders,
        jobs: 0,
        reserved: 0,
        missing: 0,
        mails: orders,
      })
    } finally {
      for (const worker of workers) await worker.kill()
      await rm(folder, { recursive: true })
    }
  })
}

interface Placing {
  readonly orders: number
  readonly buyers: readonly Viewer[]
  readonly goods: readonly string[]
  readonly draw: Random
}

async function place(api: TestApp, { orders, buyers, goods, draw }: Placing): Promise<void> {
  let left = orders
  const one = async () => {
    while (left-- > 0) {
      const items = goods
        .filter(() => draw.unit() < 0.15)
        .map((productId) => ({ productId, quantity: draw.whole(1, 3) }))
      const chosen = items.length > 0 ? items : [{ productId: goods[0] as string, quantity: 1 }]
      const { errors } = await order(api, buyers[left % buyers.length] as Viewer, chosen)
      expect(errors).toEqual([])
    }
  }
  await Promise.all([one(), one(), one()])
}

async function until(api: TestApp, waiting: string): Promise<void> {
  while ((await api.sql(waiting)).length > 0) await sleep(100)
}

/** `missing`: products whose stock and sales are not exactly what the orders took. */
async function count(api: TestApp) {
  const [counts] = await api.sql(
    `select
       (select count(*)::int from orders) as orders,
       (select count(*)::int from orders where status = 'SETTLED') as settled,
       (select count(*)::int from orders where stock_moved_at is not null) as moved,
       (select count(*)::int from graphile_worker.jobs) as jobs,
       (select sum(reserved)::int from products) as reserved,
       (select count(*)::int from products
        left join (select product_id, sum(quantity) as sold from order_items group by 1) taken on product_id = id
        where stock <> $1 - coalesce(sold, 0) or sold_count <> coalesce(sold, 0)) as missing`,
    [stock],
  )
  return counts
}
