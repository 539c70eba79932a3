import { defineEntity, p } from '@mikro-orm/core'
import { timestamp } from '../../db/row.js'

export const SubscriberTable = defineEntity({
  name: 'Subscriber',
  tableName: 'subscribers',
  properties: {
    id: p.uuid().primary(),
    email: p.text(),
    subscribedAt: timestamp(),
  },
  uniques: [{ name: 'subscribers_email_unique', properties: ['email'] }], // addSubscriber's check
})
