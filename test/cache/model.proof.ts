import { describeModel } from './model/describe-model.js'

describeModel({ sequences: 4_000, within: 150 })
