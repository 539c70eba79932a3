import { ChangeSetType, type EventSubscriber, type FlushEventArgs } from '@mikro-orm/core'
import type { SqlEntityManager } from '@mikro-orm/postgresql'
import type { Compilable, Kysely } from 'kysely'
import { CompiledQuery } from 'kysely'
import type { Change } from '../core/events.js'

/** MikroORM's unit of work, without the calls that would change rows behind its back. */
export type UnitOfWork = Pick<
  SqlEntityManager,
  'create' | 'find' | 'findOne' | 'persist' | 'remove' | 'assign' | 'getReference' | 'flush'
>

/** What a write may do; everything it changes is known when it commits. */
export interface Transaction {
  /** Entities: found, changed and created here are written when the work ends, or at `flush()`. */
  readonly em: UnitOfWork
  /**
   * Runs a statement of the caller's own and answers its rows. `changes` names what it changed, so that whoever
   * relies on knowing every change still does: nothing for a statement that only reads or locks.
   */
  sql<Query, Row>(
    build: (query: Kysely<Query>) => Compilable<Row>,
    changes: readonly Change[] | ((rows: Row[]) => readonly Change[]),
  ): Promise<Row[]>
  /** Runs after the commit, in the order given, never for a transaction that rolled back. */
  afterCommit(action: () => void | Promise<void>): void
}

/** One transaction being written: the door handed to the work, and what came of it. */
export class Writing implements Transaction {
  readonly changes: Change[] = []
  readonly committed: (() => void | Promise<void>)[] = []

  constructor(readonly em: SqlEntityManager) {
    em.getEventManager().registerSubscriber(new ChangeCollector(this.changes))
  }

  async sql<Query, Row>(
    build: (query: Kysely<Query>) => Compilable<Row>,
    changes: readonly Change[] | ((rows: Row[]) => readonly Change[]),
  ): Promise<Row[]> {
    await this.em.flush()
    const query = this.em.getKysely() as unknown as Kysely<Query>
    const { sql, parameters } = build(query).compile()
    const { rows } = await query.executeQuery<Row>(CompiledQuery.raw(sql, [...parameters]))
    this.changes.push(...(typeof changes === 'function' ? changes(rows) : changes))
    return rows
  }

  afterCommit(action: () => void | Promise<void>): void {
    this.committed.push(action)
  }
}

const kinds = {
  [ChangeSetType.CREATE]: 'insert',
  [ChangeSetType.UPDATE]: 'update',
  [ChangeSetType.UPDATE_EARLY]: 'update',
  [ChangeSetType.DELETE]: 'delete',
  [ChangeSetType.DELETE_EARLY]: 'delete',
} as const

class ChangeCollector implements EventSubscriber {
  constructor(private readonly changes: Change[]) {}

  afterFlush({ uow }: FlushEventArgs): void {
    for (const { type, meta, payload, originalEntity, entity } of uow.getChangeSets()) {
      const keys = meta.props.filter((property) => property.primary || property.targetMeta)
      const pick = (source: Record<string, unknown>) =>
        Object.fromEntries(keys.filter(({ name }) => name in source).map(({ name }) => [name, source[name]]))
      const now = { ...pick(entity as Record<string, unknown>), ...pick(payload as Record<string, unknown>) }
      const before = originalEntity ? [pick(originalEntity as Record<string, unknown>)] : []
      this.changes.push({ table: meta.tableName, kind: kinds[type], rows: 1, keys: [now, ...before] })
    }
  }
}
