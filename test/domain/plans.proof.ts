import { describePlans } from './describe-plans.js'

describePlans({ scale: 1, depth: 50_000, size: 20 })
