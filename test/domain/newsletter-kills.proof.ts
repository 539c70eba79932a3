import { describeNewsletterKills } from './describe-newsletter-kills.js'

describeNewsletterKills({ subscribers: 20_000, kills: 12, waited: 1 })
