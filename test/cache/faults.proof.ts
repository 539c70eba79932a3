import { describeFaults } from './describe-faults.js'

const all = ['none', 'killed', 'stopped', 'full, noeviction', 'full, allkeys-lru', 'flushed']
describeFaults({ before: 2_000, during: 2_500, after: 4_000, steps: 120 }, all)
