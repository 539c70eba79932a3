import { describeNewsletterKills } from './describe-newsletter-kills.js'

describeNewsletterKills({ subscribers: 400, kills: 2, waited: 0 })
