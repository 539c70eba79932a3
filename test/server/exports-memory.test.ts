import { describeExports } from './describe-exports.js'

describeExports({ rows: 100_000, encodings: ['identity', 'zstd'], slowFor: 2, leavers: 6 })
