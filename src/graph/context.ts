import type { DocumentNode, OperationDefinitionNode } from 'graphql'
import type { Source } from '../cache/cache.js'
import type { CacheRoom } from '../cache/open.js'
import type { Reading } from '../cache/reading.js'
import { Failure } from '../core/errors.js'
import { currentScope, type RequestInfo } from '../core/request.js'
import type { Point } from '../db/consistency.js'
import type { Database } from '../db/database.js'
import type { Selection, Stated, Values } from '../db/statement.js'
import type { Transaction } from '../db/transaction.js'
import type { Call, Remote } from '../remote/remote.js'
import type { Remotes } from '../remote/remotes.js'
import { Batches, Origins } from './batches.js'
import { Caching } from './caching.js'
import { type Columns, checkColumns } from './columns.js'
import type { Defined, Kept } from './kept.js'
import type { Projection, Projector } from './projection.js'

/** Who asks, as a verified token says. */
export interface Viewer {
  readonly id: string
  readonly role: 'USER' | 'ADMIN'
}

/** A token that says who asks, and when it ends, as a DateTime. */
export interface IssuedToken {
  readonly token: string
  readonly expiresAt: string
}

/** What an operation's context leads to. */
export interface Rooms {
  readonly db: Database
  readonly projector: Projector
  readonly remotes: Remotes
  readonly kept: Kept
  /** Absent where nothing is kept beyond a request. */
  readonly cache?: CacheRoom | undefined
}

/** What the server knows of a request before its operation runs. */
export interface Asked {
  readonly request: RequestInfo
  readonly viewer: Viewer | null
  /** Signs a token for somebody who proved who they are. */
  readonly issueToken: (viewer: Viewer) => Promise<IssuedToken>
  /** The point that the client's consistency token names: nothing older may be shown. */
  readonly after?: Point | undefined
  /** When the viewer wrote last, in ms since 1970, as far as it is known: nothing older may be shown. */
  readonly lastWrite?: number
  /** Notes what the answer rests on. */
  readonly reading?: Reading | undefined
}

/** A read: a statement, and the values to bind. */
export interface Read extends Stated {
  /** The entity whose asked columns are selected, and those selected in any case; absent for a statement without any. */
  readonly columns?: Columns
  readonly values: Values
  /** True for a statement that may take long: others do not wait behind it. */
  readonly isSlow?: boolean
  /** What it rests on that is kept beyond the request, as whole rows: tables, or rows by their keys. */
  readonly rests?: readonly string[] | undefined
}

/** A value that was at hand, or one that will be. */
export type Loaded<Value> = Value | Promise<Value>

/** How values are fetched by key: all keys of one tick in one statement. `ctx.load(loader, key)` calls it. */
export interface Loader<Value> {
  readonly name: string
  /** What its values are kept as beyond the request, and by whose definition; absent where they are not. */
  readonly source?: Source & Defined
  /** One value per key, in the keys' order. */
  batch(ctx: Context, keys: readonly string[]): Promise<Value[]>
}

const none: Selection = { key: '', columns: [] }
/** In ms: how far the clocks of two processes may be apart. */
const clockTolerance = 1_000

/** One operation's context: who asks, what was loaded already, and the way to the database. */
export class Context {
  request: RequestInfo
  /** The point that the client's token names; caches and replicas must not answer with less. */
  readonly after: Point | undefined
  /** Where this operation's last write stands in the database's history; undefined while it wrote nothing. */
  written: Point | undefined
  /** The field whose resolver was called last, as in `Post.author`: who asks, for what loads before it first awaits. */
  at = ''
  /** The way to what was read before; absent in a mutation, and where nothing is kept. */
  caching: Caching | undefined
  /** What is remembered for this operation's resolvers, by whoever remembers it. */
  readonly memory = new Map<object, unknown>()
  private asker: Viewer | null
  private readonly issue: Asked['issueToken']
  private readonly loaders = new Map<unknown, Batches>()
  /** Kept for a sampled request only. */
  private origins: Origins | undefined
  private projection: Projection | undefined

  constructor(
    /** What it leads to, for whoever makes another context of it. */
    readonly rooms: Rooms,
    asked: Asked,
  ) {
    const { cache, kept } = rooms
    this.request = asked.request
    this.origins = asked.request.sampled ? new Origins() : undefined
    this.after = asked.after
    this.caching = cache && new Caching({ cache, kept }, readAfter(asked.after, asked.lastWrite ?? 0), asked.reading)
    this.issue = asked.issueToken
    this.asker = asked.viewer
  }

  /** True where the costly parts of this operation's facts are wanted. */
  get sampled(): boolean {
    return this.origins !== undefined
  }

  /** Who asks; null for a request without a token. Reading it marks the request as viewer-dependent. */
  get viewer(): Viewer | null {
    this.caching?.readViewer()
    return this.asker
  }

  /** Signs in somebody who proved who they are: a token for them, and the rest of this operation is theirs. */
  async signIn(viewer: Viewer): Promise<IssuedToken> {
    this.caching?.spoil()
    this.asker = viewer
    return this.issue(viewer)
  }

  /** Called once per operation, before its first resolver. Who changes something reads what is, not what was. */
  begin(document: DocumentNode, { operation, name }: OperationDefinitionNode): void {
    this.projection = this.rooms.projector(document, name?.value)
    if (operation === 'query') return
    this.caching?.spoil()
    this.caching = undefined
  }

  /** Called once its answer is complete: forgets what was loaded, which a traced request knows as well. */
  end(): void {
    this.loaders.clear()
    this.memory.clear()
    this.origins = undefined
    this.request = { id: this.request.id }
  }

  /** What the running operation asks for. */
  get asked(): Projection {
    if (!this.projection) throw new Error('No operation has begun on this context.')
    return this.projection
  }

  /** The value of that key, fetched with all other keys asked of the loader in the same tick, once per operation. */
  load<Value>(loader: Loader<Value>, key: string): Loaded<Value> {
    const known = loader.source && this.caching?.peek<Value>(loader.source, key)
    if (known) return known.value
    return this.batched(loader, loader.name, key, (keys) => loader.batch(this, keys))
  }

  /** Like {@link load}, for a batch that is told apart by `identity` (a page's arguments, say). */
  batched<Value>(
    identity: unknown,
    name: string,
    key: string,
    batch: (keys: readonly string[]) => Promise<Value[]>,
  ): Promise<Value> {
    let loader = this.loaders.get(identity)
    if (!loader) {
      const fetch = (keys: readonly string[], field: string) => {
        this.at = field
        return batch(keys)
      }
      loader = new Batches(name, fetch, this.origins)
      this.loaders.set(identity, loader)
    }
    return loader.load(key, this.at) as Promise<Value>
  }

  /** Plain rows of one statement; its text is compiled at the variant's first use. */
  read<Row>(wanted: Read): Promise<Row[]> {
    const { name, definition, columns, values, isSlow, rests } = wanted
    const { db, kept } = this.rooms
    if (rests) kept.admit({ name, definition, rests })
    const whole = columns ? db.columns(columns.entity) : none
    const isWhole = !columns || (rests && this.caching)
    const selection = isWhole ? whole : this.asked.selection(columns.entity, columns.also)
    const statement = db.statements.get(wanted, selection, whole)
    const field = this.sampled ? currentScope()?.field : undefined
    if (field) field.hasAsked = true
    const options = { isSlow, field: field?.coordinate ?? this.at }
    const read = () => db.read<Row>(statement, values, options)
    const rows = rests || !this.caching ? read() : this.caching.read(statement.tables, read)
    return columns && this.request.watched ? checkColumns(rows, statement, columns) : rows
  }

  /**
   * What another service answers. Calls of one tick go out side by side: settle them together, and what answered can be
   * shown with what did not. @throws RemoteFailure
   */
  call<Answer>(remote: Remote, call: Call<Answer>): Promise<Answer> {
    this.caching?.spoil()
    return this.rooms.remotes.call(remote, call)
  }

  /** Runs `work` in one transaction; what was loaded before is forgotten, so that the payload shows what was written. */
  async write<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result> {
    const { db, cache } = this.rooms
    this.caching?.spoil()
    const result = await db.write(work)
    if (this.asker) await cache?.wrote(this.asker.id)
    this.written = (await db.point()) ?? this.written
    this.loaders.clear()
    return result
  }
}

/** In ms since 1970: what was read before is older than what its asker has seen, or wrote; 0 where anything will do. */
export function readAfter(after: Point | undefined, lastWrite: number): number {
  const last = Math.max(after?.at ?? 0, lastWrite)
  return last && last + clockTolerance
}

/** The viewer, or UNAUTHENTICATED. */
export function requireViewer(ctx: Pick<Context, 'viewer'>): Viewer {
  const { viewer } = ctx
  if (!viewer) throw new Failure('UNAUTHENTICATED', 'Sign in to do this.')
  return viewer
}

/** The viewer if an administrator; else UNAUTHENTICATED or FORBIDDEN. */
export function requireAdmin(ctx: Pick<Context, 'viewer'>): Viewer {
  const viewer = requireViewer(ctx)
  if (viewer.role !== 'ADMIN') throw new Failure('FORBIDDEN', 'Only administrators may do this.')
  return viewer
}

/** True for the user of that id and for administrators. */
export function isSelfOrAdmin(ctx: Context, userId: string): boolean {
  const { viewer } = ctx
  return viewer !== null && (viewer.id === userId || viewer.role === 'ADMIN')
}

/** Passes the user of that id and administrators; others get FORBIDDEN. */
export function requireSelfOrAdmin(ctx: Context, userId: string): void {
  if (!isSelfOrAdmin(ctx, userId)) throw new Failure('FORBIDDEN', 'This is visible to its owner only.')
}
