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
  /**
   * Runs after the commit, in the order given, never for a transaction that rolled back. One that fails is logged:
   * what was committed stays, and the others run.
   */
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
  private originals = new Map<object, EntityData>()

  constructor(private readonly changes: Change[]) {}

  /** What is deleted is forgotten by the time it is gone. */
  onFlush({ uow }: FlushEventArgs): void {
    this.originals = new Map(uow.getChangeSets().map(({ entity }) => [entity, uow.getOriginalEntityData(entity) ?? {}]))
  }

  afterFlush({ uow }: FlushEventArgs): void {
    for (const { type, meta, payload, entity } of uow.getChangeSets()) {
      const names = meta.props.filter((property) => property.primary || property.targetMeta).map(({ name }) => name)
      // Not the entity's own properties: there a relation is an object.
      const pick = (source: EntityData) =>
        Object.fromEntries(Object.entries(source).filter(([name]) => names.includes(name)))
      const before = pick(this.originals.get(entity) ?? {})
      const after = { ...before, ...pick(payload) }
      const moved = type !== ChangeSetType.CREATE && names.some((name) => before[name] !== after[name])
      this.changes.push({ table: meta.tableName, kind: kinds[type], rows: 1, keys: moved ? [after, before] : [after] })
    }
  }
}

type EntityData = Record<string, unknown>
