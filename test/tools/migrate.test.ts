import { MikroORM } from '@mikro-orm/postgresql'
import { expect, test } from 'vitest'
import { loadConfig } from '../../src/core/config.js'
import { createLog } from '../../src/core/log.js'
import { slices } from '../../src/domain/index.js'
import { migrationOptions } from '../../src/mikro-orm.config.js'
import { migrate } from '../../src/tools/migrate.js'
import { jwtSecret } from '../settings.js'
import { createTestDatabase } from '../support.js'

const log = createLog({ LOG_LEVEL: 'silent' })

test("the queue's tables are there after a migration, and no comparison with the entities would drop them", async () => {
  const { url, drop } = await createTestDatabase('template_business')
  const config = loadConfig({ DATABASE_URL: url, JWT_SECRET: jwtSecret })
  expect(await migrate(config, log)).toEqual([])
  const entities = slices.flatMap((slice) => slice.entities)
  const orm = await MikroORM.init(migrationOptions(config, entities, log))
  try {
    const [found] = await orm.em.getConnection().execute("select to_regclass('graphile_worker._private_jobs') as jobs")
    expect(found).toEqual({ jobs: 'graphile_worker._private_jobs' })
    expect(await orm.schema.getUpdateSchemaSQL()).not.toContain('graphile_worker')
  } finally {
    await orm.close(true)
    await drop()
  }
})
