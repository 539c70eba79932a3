import { z } from 'zod'
import { defineJob, type Job } from '../../jobs/job.js'
import { MailRefused } from '../../mail/mailer.js'
import {
  dropCancelled,
  moveStock,
  type OrderKey,
  readConfirmation,
  recountSold,
  settle,
} from './order-settlement.data.js'

const payload = z.object({ userId: z.guid(), orderId: z.guid() })
/** Those of one order wait for each other. */
const queue = ({ orderId }: OrderKey) => `order ${orderId}`

export const settleOrder = defineJob({
  name: 'settle-order',
  payload,
  queue,
  run: (order, run) => run.finish((tx) => settle(tx, order)),
})

export const sendOrderConfirmation = defineJob({
  name: 'send-order-confirmation',
  payload,
  queue,
  async run(order, run) {
    const told = await run.write((tx) => readConfirmation(tx, order))
    if (!told) return
    const { buyer, email, currency, total, lines } = told
    const items = lines.map(({ quantity, name, unitPrice }) => `${quantity} × ${name}, ${unitPrice} ${currency} each`)
    const mail = {
      id: `order-${order.orderId}`,
      to: email,
      subject: 'Your order',
      text: [
        `Dear ${buyer},`,
        '',
        'thank you for your order:',
        '',
        ...items,
        '',
        `Total: ${total} ${currency}`,
        '',
      ].join('\n'),
    }
    await run.mail.send(mail).catch((error) => {
      if (!(error instanceof MailRefused)) throw error
      run.log.warn({ mail: mail.id, reason: error.message }, 'an address was refused')
    })
  },
})

export const updateInventory = defineJob({
  name: 'update-inventory',
  payload,
  queue,
  run: (order, run) => run.finish((tx) => moveStock(tx, order)),
})

const productsAtOnce = 50

export const refreshSoldCounts = defineJob({
  name: 'refresh-sold-counts',
  payload: z.object({}),
  timeout: 600_000,
  cron: '0 3 * * *',
  async run(_nothing, run) {
    let last: string | undefined = '00000000-0000-0000-0000-000000000000'
    while (last) {
      const after: string = last
      last = await run.write((tx) => recountSold(tx, after, productsAtOnce))
    }
  },
})

const ordersAtOnce = 500
const keptDays = 90

export const dropCancelledOrders = defineJob({
  name: 'drop-cancelled-orders',
  payload: z.object({}),
  timeout: 600_000,
  cron: '30 3 * * *',
  async run(_nothing, run) {
    while ((await run.write((tx) => dropCancelled(tx, keptDays, ordersAtOnce))) === ordersAtOnce);
  },
})

export const orderJobs: readonly Job[] = [
  settleOrder,
  sendOrderConfirmation,
  updateInventory,
  refreshSoldCounts,
  dropCancelledOrders,
]
