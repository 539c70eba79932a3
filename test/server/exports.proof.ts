import { describeExports } from './describe-exports.js'

describeExports({ rows: 1_000_000, encodings: ['identity', 'zstd', 'br', 'gzip'], slowFor: 24, leavers: 24 })
