import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { defineEntity, p } from '@mikro-orm/core'
import type { InferKyselyDB } from '@mikro-orm/postgresql'
import { CompiledQuery, type Kysely } from 'kysely'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Failure } from '../../src/core/errors.js'
import type { Change } from '../../src/core/events.js'
import type { Database } from '../../src/db/database.js'
import { plain } from '../../src/db/statement.js'
import type { Transaction } from '../../src/db/transaction.js'
import { BoxTable, ThingTable } from '../fixture/thing.entity.js'
import { startHouse, type TestApp } from '../support.js'
import { compareChanges } from '../table-changes.js'

type Tables = InferKyselyDB<typeof BoxTable | typeof ThingTable>

let house: TestApp
let db: Database
beforeAll(async () => {
  house = await startHouse()
  db = house.app.db
})
afterAll(() => house[Symbol.asyncDispose]())

const [box, other, first, second] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()] as const
beforeEach(async () => {
  await house.sql('truncate boxes, things')
  await house.sql(`insert into boxes values ($1, 'one', ''), ($2, 'other', '')`, [box, other])
  await house.sql(`insert into things values ($1, $3, 'first', 1, 1), ($2, $3, 'second', 2, 2)`, [first, second, box])
})

const names = async () =>
  (await house.sql<{ name: string }>('select name from things order by name')).map((row) => row.name)
const create = (tx: Transaction, name: string) => {
  const id = randomUUID()
  tx.em.create(ThingTable, { id, box, name, size: 3, weight: '3.000' })
  return id
}

const find = async (tx: Transaction, id: string) => {
  const thing = await tx.em.findOne(ThingTable, id)
  if (!thing) throw new Error('The thing is gone.')
  return thing
}

describe('a write', () => {
  test('commits all of its work and answers what the work answered', async () => {
    const result = await db.write(async (tx) => {
      create(tx, 'third')
      ;(await find(tx, first)).name = 'renamed'
      return 'done'
    })
    expect(result).toBe('done')
    expect(await names()).toEqual(['renamed', 'second', 'third'])
  })

  test('leaves nothing behind when it throws, at whichever point', async () => {
    const reason = new Error('no')
    const early = db.write(async (tx) => {
      create(tx, 'third')
      throw reason
    })
    await expect(early).rejects.toBe(reason)
    const flushed = db.write(async (tx) => {
      create(tx, 'third')
      await tx.em.flush()
      await tx.sql((query: Kysely<Tables>) => query.deleteFrom('things').where('name', '=', 'first'), [])
      throw reason
    })
    await expect(flushed).rejects.toBe(reason)
    const violating = db.write(async (tx) => {
      create(tx, 'third')
      create(tx, 'first')
    })
    await expect(violating).rejects.toMatchObject({ code: '23505', constraint: 'things_name_unique' })
    expect(await names()).toEqual(['first', 'second'])
  })

  test('sees its own entities in its own statements', async () => {
    const result = await db.write(async (tx) => {
      create(tx, 'third')
      return tx.sql((query: Kysely<Tables>) => query.selectFrom('things').select('name').orderBy('name'), [])
    })
    expect(result.map(({ name }) => name)).toEqual(['first', 'second', 'third'])
  })

  test('runs what is to follow the commit in order, after it, and not at all after a rollback', async () => {
    const log: unknown[] = []
    await db.write(async (tx) => {
      tx.afterCommit(async () => {
        await pause(5)
        log.push(await names())
      })
      tx.afterCommit(() => void log.push('second'))
      create(tx, 'third')
    })
    expect(log).toEqual([['first', 'second', 'third'], 'second'])
    const work = async (tx: Transaction) => {
      tx.afterCommit(() => void log.push('never'))
      throw new Error('no')
    }
    await expect(db.write(work)).rejects.toThrow('no')
    expect(log).toHaveLength(2)
  })

  test('stays done when what follows it fails, and the rest still follows', async () => {
    const log: string[] = []
    const result = await db.write(async (tx) => {
      tx.afterCommit(() => Promise.reject(new Error('the cache is away')))
      tx.afterCommit(() => void log.push('told'))
      create(tx, 'third')
      return 'done'
    })
    expect(result).toBe('done')
    expect(log).toEqual(['told'])
    expect(await names()).toEqual(['first', 'second', 'third'])
  })
})

describe('its changes', () => {
  const compare = async (work: (tx: Transaction) => Promise<unknown>) => {
    const { declared, counted, transactions } = await compareChanges(db, () => db.write(work).catch(() => {}))
    expect(declared).toEqual(counted)
    return { counted, changes: transactions.flatMap(({ changes }) => changes) }
  }

  test('are those that the database counts: created, updated, deleted, by statement', async () => {
    const { counted } = await compare(async (tx) => {
      create(tx, 'third')
      tx.em.create(BoxTable, { id: randomUUID(), label: 'new', secret: '' })
      ;(await find(tx, first)).size = 9
      tx.em.remove(await find(tx, second))
      await tx.sql(
        (query: Kysely<Tables>) => query.updateTable('boxes').set({ label: 'all' }).returning('id'),
        (rows) => [{ table: 'boxes', kind: 'update', rows: rows.length, keys: rows }],
      )
    })
    expect(counted).toEqual({
      'boxes insert': 1,
      'boxes update': 3,
      'things delete': 1,
      'things insert': 1,
      'things update': 1,
    })
  })

  test('are told once, however often the work is flushed', async () => {
    const { counted } = await compare(async (tx) => {
      create(tx, 'third')
      await tx.em.flush()
      const thing = await find(tx, first)
      thing.size = 9
      await tx.em.flush()
      thing.size = 10
      await tx.em.flush()
      create(tx, 'fourth')
    })
    expect(counted).toEqual({ 'things insert': 2, 'things update': 2 })
  })

  test('are none for what was not changed, or not kept', async () => {
    const same = await compare(async (tx) => void tx.em.assign(await find(tx, first), { size: 1 }))
    expect(same).toEqual({ counted: {}, changes: [] })
    const { transactions } = await compareChanges(db, () =>
      db
        .write(async (tx) => {
          create(tx, 'third')
          await tx.em.flush()
          throw new Error('no')
        })
        .catch(() => {}),
    )
    expect(transactions).toEqual([])
  })

  test('belong to their own transaction, when several are written at once', async () => {
    const ids: string[] = []
    const { transactions, declared, counted } = await compareChanges(db, () =>
      Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          db.write(async (tx) => {
            ids.push(create(tx, `thing ${index}`))
            await pause(Math.random() * 5)
          }),
        ),
      ),
    )
    expect(declared).toEqual(counted)
    expect(transactions.map(({ changes }) => changes.length)).toEqual(Array(10).fill(1))
    const keys = transactions.flatMap(({ changes }) => changes[0]?.keys ?? [])
    expect(keys.map((key) => key.id).sort()).toEqual(ids.sort())
  })

  test('carry the keys as plain values, those before the change and those after', async () => {
    let created = ''
    const { changes } = await compare(async (tx) => {
      created = create(tx, 'third')
      const [moved, grown] = [await find(tx, first), await find(tx, second)]
      moved.box = tx.em.getReference(BoxTable, other)
      grown.size = 9
    })
    expect(changes).toEqual([
      { table: 'things', kind: 'insert', rows: 1, keys: [{ id: created, box }] },
      {
        table: 'things',
        kind: 'update',
        rows: 1,
        keys: [
          { id: first, box: other },
          { id: first, box },
        ],
      },
      { table: 'things', kind: 'update', rows: 1, keys: [{ id: second, box }] },
    ])
    const removed = await compare(async (tx) => void tx.em.remove(await find(tx, first)))
    expect(removed.changes).toEqual([{ table: 'things', kind: 'delete', rows: 1, keys: [{ id: first, box: other }] }])
    const unread = await compare(async (tx) => void tx.em.remove(tx.em.getReference(ThingTable, second)))
    expect(unread.changes).toEqual([{ table: 'things', kind: 'delete', rows: 1, keys: [{ id: second }] }])
  })

  test('are as many as a statement says', async () => {
    const many = Array.from({ length: 200_000 }, (): Change => ({ table: 'things', kind: 'update', rows: 1 }))
    const { transactions } = await compareChanges(db, () => db.write((tx) => tx.sql(plain('select 1', []), many)))
    expect(transactions.map(({ changes }) => changes.length)).toEqual([200_000])
  })
})

describe('what the database changes by itself', () => {
  const ShelfTable = defineEntity({ name: 'Shelf', tableName: 'shelves', properties: { id: p.uuid().primary() } })
  const BookTable = defineEntity({
    name: 'Book',
    tableName: 'books',
    properties: { id: p.uuid().primary(), shelf: () => p.manyToOne(ShelfTable).updateRule('cascade').nullable() },
  })
  const PageTable = defineEntity({
    name: 'Page',
    tableName: 'pages',
    properties: {
      id: p.uuid().primary(),
      book: () => p.manyToOne(BookTable).deleteRule('cascade'),
      next: () => p.manyToOne(PageTable).nullable(),
    },
  })
  const TopicTable = defineEntity({
    name: 'Topic',
    tableName: 'topics',
    properties: { id: p.uuid().primary(), shelves: () => p.manyToMany(ShelfTable) },
  })
  const ReaderTable = defineEntity({
    name: 'Reader',
    tableName: 'readers',
    properties: { id: p.uuid().primary(), shelf: () => p.manyToOne(ShelfTable).deleteRule('no action').nullable() },
  })

  let library: TestApp
  beforeAll(async () => {
    const entities = [ShelfTable, BookTable, PageTable, ReaderTable, TopicTable]
    library = await startHouse({}, [{ name: 'library', entities, resolvers: [], nodes: [] }])
    const { orm } = library.app.db
    const statements = (await orm.schema.getCreateSchemaSQL()).split('\n')
    for (const text of statements.filter((line) => /shelves|books|pages|readers|topics/.test(line)))
      await library.sql(text)
  })
  afterAll(() => library[Symbol.asyncDispose]())

  const [shelf, empty, book, page] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()] as const
  beforeEach(async () => {
    await library.sql('truncate shelves, books, pages, readers, topics, topics_shelves')
    await library.sql('insert into shelves values ($1), ($2)', [shelf, empty])
    await library.sql('insert into books values ($1, $2)', [book, shelf])
    await library.sql('insert into pages values ($1, $2)', [page, book])
  })

  const compare = async (work: (tx: Transaction) => Promise<unknown>) => {
    const { counted, transactions } = await compareChanges(library.app.db, () => library.app.db.write(work))
    const told = transactions.flatMap(({ changes }) => changes)
    const unknown = told.filter(({ keys }) => !keys).map(({ table, kind }) => `${table} ${kind}`)
    return { counted: Object.keys(counted).sort(), told, unknown: unknown.sort() }
  }
  const nothing = plain('select 1', [])

  test('is told without its keys: what lost its parent, and what goes with it', async () => {
    const removed = await compare(async (tx) => void tx.em.remove(tx.em.getReference(ShelfTable, shelf)))
    expect(removed.counted).toEqual(['books update', 'shelves delete'])
    expect(removed.unknown).toContain('books update')
    const whole = await compare(async (tx) => void tx.em.remove(tx.em.getReference(BookTable, book)))
    expect(whole.counted).toEqual(['books delete', 'pages delete'])
    expect(whole.unknown).toEqual(['pages delete', 'pages update'])
  })

  test('is told of a relation of many to many, which is a table of its own', async () => {
    const id = randomUUID()
    const created = await compare(async (tx) => void tx.em.create(TopicTable, { id, shelves: [shelf] }))
    expect(created.counted).toEqual(['topics insert', 'topics_shelves insert'])
    expect(created.unknown).toEqual(['topics_shelves update'])
    const load = async (tx: Transaction) => tx.em.findOne(TopicTable, { id }, { populate: ['shelves'] })
    const added = await compare(async (tx) => (await load(tx))?.shelves.add(tx.em.getReference(ShelfTable, empty)))
    expect(added.counted).toEqual(['topics_shelves insert'])
    expect(added.unknown).toEqual(['topics_shelves update'])
    const emptied = await compare(async (tx) => (await load(tx))?.shelves.removeAll())
    expect(emptied.counted).toEqual(['topics_shelves delete'])
    expect(emptied.unknown).toEqual(['topics_shelves update'])
    const same = await compare(async (tx) => load(tx))
    expect(same.told).toEqual([])
    const alone = await compare(async (tx) => void tx.em.create(TopicTable, { id: randomUUID() }))
    expect(alone.unknown).toEqual([])
    await library.sql('insert into topics_shelves values ($1, $2)', [id, shelf])
    const removed = await compare(async (tx) => void tx.em.remove(tx.em.getReference(TopicTable, id)))
    expect(removed.counted).toEqual(['topics delete', 'topics_shelves delete'])
    expect(removed.unknown).toEqual(['topics_shelves delete'])
  })

  test('is told once, of however many statements, declared ones too', async () => {
    const changes: Change[] = [shelf, empty].map((id) => ({
      table: 'shelves',
      kind: 'delete',
      rows: 1,
      keys: [{ id }],
    }))
    const { unknown } = await compare(async (tx) => {
      await tx.sql(nothing, changes)
      await tx.sql(nothing, () => changes)
    })
    expect(unknown).toEqual(['books update', 'topics_shelves delete'])
  })

  test('is told where the key that it goes by becomes another, and only there', async () => {
    const moved = await compare(async (tx) => {
      const found = await tx.em.findOne(ShelfTable, shelf)
      if (found) found.id = randomUUID()
    })
    expect(moved.counted).toEqual(['books update', 'shelves update'])
    expect(moved.unknown).toEqual(['books update', 'topics_shelves update'])
    const update = (...keys: Change['keys'] & {}): Change => ({ table: 'shelves', kind: 'update', rows: 1, keys })
    const declared = async (...changes: Change[]) => (await compare((tx) => tx.sql(nothing, changes))).unknown
    expect(await declared(update({ id: shelf }, { id: randomUUID() }))).toEqual(moved.unknown)
    expect(await declared(update({ id: shelf }), update({ id: empty }))).toEqual([])
    expect(await declared(update({ id: shelf }, { id: shelf }))).toEqual([])
    expect(await declared({ ...update({ id: shelf }), rows: 0, kind: 'delete' })).toEqual([])
  })

  test('is nothing for a rule that only refuses, and nothing for a new row', async () => {
    const { told } = await compare(async (tx) => {
      tx.em.create(ShelfTable, { id: randomUUID() })
      await tx.sql(nothing, [{ table: 'readers', kind: 'delete', rows: 1, keys: [{ id: randomUUID(), shelf }] }])
    })
    expect(told.map(({ table }) => table).sort()).toEqual(['readers', 'shelves'])
  })
})

describe('what the database refuses', () => {
  test('is CONFLICT for the loser of a deadlock, and the winner stays', async () => {
    let arrived = 0
    const lockBoth = (ids: readonly string[]) =>
      db.write(async (tx) => {
        await lock(tx, ids[0] as string)
        arrived++
        while (arrived < 2) await pause(1)
        await lock(tx, ids[1] as string)
      })
    const results = await Promise.allSettled([lockBoth([first, second]), lockBoth([second, first])])
    const [lost] = results.filter((result) => result.status === 'rejected')
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    expect(lost?.reason).toBeInstanceOf(Failure)
    expect(lost?.reason.code).toBe('CONFLICT')
  })

  test('is CONFLICT for a transaction that cannot be serialized', async () => {
    const serializable = 'set transaction isolation level serializable'
    const write = db.write(async (tx) => {
      await tx.sql(() => ({ compile: () => CompiledQuery.raw(serializable) }), [])
      await tx.sql((query: Kysely<Tables>) => query.selectFrom('things').select('id'), [])
      await house.sql('update things set size = 5 where id = $1', [first])
      await tx.sql((query: Kysely<Tables>) => query.updateTable('things').set({ size: 6 }), [])
    })
    await expect(write).rejects.toMatchObject({ code: 'CONFLICT' })
  })

  const lock = (tx: Transaction, id: string) =>
    tx.sql((query: Kysely<Tables>) => query.selectFrom('things').select('id').where('id', '=', id).forUpdate(), [])
})
