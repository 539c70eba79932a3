import { describeFaults } from './describe-faults.js'

describeFaults({ before: 400, during: 600, after: 600, steps: 30 }, ['killed'])
