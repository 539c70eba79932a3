import { describeKills } from './describe-kills.js'

describeKills({ orders: 60, kills: 2 })
