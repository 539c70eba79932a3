import { describeModel } from './model/describe-model.js'

describeModel({ sequences: 24, within: 5 })
