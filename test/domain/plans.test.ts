import { expect, test } from 'vitest'
import { describePlans } from './describe-plans.js'
import { startSeeded } from './plans.js'

describePlans({ scale: 0.1, depth: 4_000, size: 100 })

test('what has no index ends in TIMEOUT rather than in a slow database', async () => {
  await using app = await startSeeded(0.02, { DATABASE_STATEMENT_TIMEOUT_MS: '2' })
  const { errors } = await app.query(
    '{ posts(filter: { text: "the" }, orderBy: { field: TITLE, direction: ASC }) { nodes { body } } }',
  )
  expect(errors).toMatchObject([{ extensions: { code: 'TIMEOUT' } }])
})
