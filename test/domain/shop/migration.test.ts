import { expect, test } from 'vitest'
import { loadConfig } from '../../../src/core/config.js'
import { createLog } from '../../../src/core/log.js'
import { withMigrator } from '../../../src/tools/migrate.js'
import { jwtSecret } from '../../settings.js'
import { createTestDatabase } from '../../support.js'

test('orders that were settled before there were jobs count as sold', async () => {
  const database = await createTestDatabase('template_business')
  const config = loadConfig({ DATABASE_URL: database.url, JWT_SECRET: jwtSecret, LOG_LEVEL: 'silent' })
  try {
    const moved = await withMigrator(config, createLog(config), async (migrator, pool) => {
      const migrations = ['20261123025703_jobs']
      await migrator.down({ migrations })
      await pool.query(`
        with buyer as (
          insert into users (id, name, email, role, active, password_hash, joined_at)
          values (gen_random_uuid(), 'Somebody', 'somebody@example.com', 'USER', true, '', now()) returning id
        )
        insert into orders (user_id, id, status, total, currency, idempotency_key, created_at)
        select id, gen_random_uuid(), status, 1, 'EUR', status, now()
        from buyer, unnest(array['CANCELLED', 'PLACED', 'SETTLED']) status`)
      await migrator.up({ migrations })
      const { rows } = await pool.query(
        'select status, stock_moved_at = created_at as moved from orders order by status',
      )
      return rows
    })
    expect(moved).toEqual([
      { status: 'CANCELLED', moved: null },
      { status: 'PLACED', moved: null },
      { status: 'SETTLED', moved: true },
    ])
  } finally {
    await database.drop()
  }
})
