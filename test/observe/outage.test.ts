import { describeOutage } from './describe-outage.js'

describeOutage({ requests: 500, watchesMemory: false })
