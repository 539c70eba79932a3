import { describeKills } from './describe-kills.js'

describeKills({ orders: 1_000, kills: 15 })
