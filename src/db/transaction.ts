import { ChangeSetType, type EventSubscriber, type FlushEventArgs } from '@mikro-orm/core'
import type { SqlEntityManager } from '@mikro-orm/postgresql'
import type { Compilable, Kysely } from 'kysely'
import { CompiledQuery } from 'kysely'
import type { Change } from '../core/events.js'
import type { Cascades } from './cascades.js'

/** MikroORM's unit of work, without the calls that would change rows behind its back. */
export type UnitOfWork = Pick<
  SqlEntityManager,
  'create' | 'find' | 'findOne' | 'persist' | 'remove' | 'assign' | 'getReference' | 'flush'
>

/** What a write may do; everything it changes is known when it commits. */
export interface Transaction {
  /** Entities: found, changed and created here are written when the work ends, or at `flush()`. */
  readonly em: UnitOfWork
  /** Those that slices list: no other is ever done. */
  readonly jobs: ReadonlySet<object>
  /**
   * Runs a statement of the caller's own and answers its rows. `changes` names what it changed, so that whoever
   * relies on knowing every change still does: nothing for a statement that only reads or locks. What follows from it
   * by the foreign keys' rules need not be named.
   */
  sql<Query, Row>(
    build: (query: Kysely<Query>) => Compilable<Row>,
    changes: readonly Change[] | ((rows: Row[]) => readonly Change[]),
  ): Promise<Row[]>
  /**
   * Has `send` called once, before the commit, with every item that was given for it: one statement for what many
   * places ask for. @throws Error once the work has ended, where nothing would be sent any more.
   */
  collect<Item>(send: (tx: Transaction, items: readonly Item[]) => Promise<void>, item: Item): void
  /**
   * Runs after the commit, in the order given, never for a transaction that rolled back. One that fails is logged:
   * what was committed stays, and the others run.
   */
  afterCommit(action: () => void | Promise<void>): void
}

/**
 * Told of a transaction that changed something, with all that it changed, before its commit: what it writes is a part of
 * it. What it answers runs after the commit, before whoever wrote goes on.
 */
export type Follower = (tx: Transaction, changes: readonly Change[]) => Promise<() => void | Promise<void>>

/** One transaction being written: the door handed to the work, and what came of it. */
export class Writing implements Transaction {
  readonly changes: Change[] = []
  private readonly brought = new Set<Change>()
  readonly committed: (() => void | Promise<void>)[] = []
  private hasEnded = false
  private readonly collected = new Map<(tx: Transaction, items: never[]) => Promise<void>, unknown[]>()

  constructor(
    readonly em: SqlEntityManager,
    readonly jobs: ReadonlySet<object>,
    private readonly cascades: Cascades,
  ) {
    em.getEventManager().registerSubscriber(new ChangeCollector((change) => this.note(change)))
  }

  async sql<Query, Row>(
    build: (query: Kysely<Query>) => Compilable<Row>,
    changes: readonly Change[] | ((rows: Row[]) => readonly Change[]),
  ): Promise<Row[]> {
    await this.em.flush()
    const query = this.em.getKysely() as unknown as Kysely<Query>
    const { sql, parameters } = build(query).compile()
    const { rows } = await query.executeQuery<Row>(CompiledQuery.raw(sql, [...parameters]))
    for (const change of typeof changes === 'function' ? changes(rows) : changes) this.note(change)
    return rows
  }

  collect<Item>(send: (tx: Transaction, items: readonly Item[]) => Promise<void>, item: Item): void {
    if (this.hasEnded) throw new Error('The transaction has ended: nothing can be sent with it.')
    const items = this.collected.get(send) ?? []
    this.collected.set(send, items)
    items.push(item)
  }

  afterCommit(action: () => void | Promise<void>): void {
    this.committed.push(action)
  }

  /** Sends what was collected, which may collect more; then those hear of all that changed who want to. */
  async end(followers: Iterable<Follower>): Promise<void> {
    while (this.collected.size > 0) {
      const [...sendings] = this.collected
      this.collected.clear()
      for (const [send, items] of sendings) await send(this, items as never[])
    }
    this.hasEnded = true
    const [...following] = followers
    if (following.length === 0) return
    await this.em.flush()
    if (this.changes.length === 0) return
    // Before whatever else was to run after the commit.
    for (const follow of following) this.committed.unshift(await follow(this, this.changes))
  }

  /** With what follows from it, each once. */
  private note(change: Change): void {
    this.changes.push(change)
    for (const brought of this.cascades(change)) {
      if (this.brought.has(brought)) continue
      this.brought.add(brought)
      this.note(brought)
    }
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

  constructor(private readonly note: (change: Change) => void) {}

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
      // What a new row is not given is null; of one that was never read it is not known.
      const unset = type === ChangeSetType.CREATE ? Object.fromEntries(names.map((name) => [name, null])) : {}
      const after = { ...unset, ...before, ...pick(payload) }
      const moved = type !== ChangeSetType.CREATE && names.some((name) => before[name] !== after[name])
      this.note({ table: meta.tableName, kind: kinds[type], rows: 1, keys: moved ? [after, before] : [after] })
    }
    const related = uow
      .getCollectionUpdates()
      .map(({ property }) => property.pivotTable ?? property.targetMeta?.tableName)
    for (const table of new Set(related)) if (table) this.note({ table, kind: 'update', rows: 1 })
  }
}

type EntityData = Record<string, unknown>
