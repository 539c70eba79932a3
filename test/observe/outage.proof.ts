import { describeOutage } from './describe-outage.js'

describeOutage({ requests: 30_000, watchesMemory: true })
