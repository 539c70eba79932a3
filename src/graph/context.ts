import DataLoader from 'dataloader'
import type { DocumentNode } from 'graphql'
import { Failure } from '../core/errors.js'
import { fact } from '../core/events.js'
import type { Point } from '../db/consistency.js'
import type { Database } from '../db/database.js'
import type { Build, Selection, Values } from '../db/statement.js'
import type { Transaction } from '../db/transaction.js'
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

/** What the server knows of a request before its operation runs. */
export interface Asked {
  readonly requestId: string
  readonly viewer: Viewer | null
  /** Signs a token for somebody who proved who they are. */
  readonly issueToken: (viewer: Viewer) => Promise<IssuedToken>
  /** The point that the client's consistency token names: nothing older may be shown. */
  readonly after?: Point | undefined
}

/** A read: one variant of a named statement, and the values to bind. */
export interface Read {
  readonly name: string
  /** Tells texts of the same name apart; the selection is told apart by itself. */
  readonly variant: string
  /** The entity whose asked columns are selected, and those selected in any case; absent for a statement without any. */
  readonly columns?: { readonly entity: string; readonly also: readonly string[] }
  readonly build: Build
  readonly values: Values
  /** True for a statement that may take long: others do not wait behind it. */
  readonly isSlow?: boolean
}

/** How values are fetched by key: all keys of one tick in one statement. `ctx.load(loader, key)` calls it. */
export interface Loader<Value> {
  readonly name: string
  /** One value per key, in the keys' order. */
  batch(ctx: Context, keys: readonly string[]): Promise<Value[]>
}

const none: Selection = { key: '', columns: [] }
const loaded = fact('batch.loaded')

/** One operation's context: who asks, what was loaded already, and the way to the database. */
export class Context {
  readonly requestId: string
  /** The point that the client's token names; caches and replicas must not answer with less. */
  readonly after: Point | undefined
  /** Where this operation's last write stands in the database's history; undefined while it wrote nothing. */
  written: Point | undefined
  /** The field whose resolver was called last, as in `Post.author`: who asks, for what loads before it first awaits. */
  at = ''
  /** True once anything read {@link viewer}: the answer then belongs to that viewer alone. */
  viewerRead = false

  private asker: Viewer | null
  private readonly issue: Asked['issueToken']
  private readonly loaders = new Map<unknown, DataLoader<string, unknown>>()
  private projection: Projection | undefined

  constructor(
    private readonly db: Database,
    private readonly projector: Projector,
    asked: Asked,
  ) {
    this.requestId = asked.requestId
    this.after = asked.after
    this.issue = asked.issueToken
    this.asker = asked.viewer
  }

  /** Who asks; null for a request without a token. Reading it marks the request as viewer-dependent. */
  get viewer(): Viewer | null {
    this.viewerRead = true
    return this.asker
  }

  /** Signs in somebody who proved who they are: a token for them, and the rest of this operation is theirs. */
  async signIn(viewer: Viewer): Promise<IssuedToken> {
    this.asker = viewer
    return this.issue(viewer)
  }

  /** Called once per operation, before its first resolver. */
  begin(document: DocumentNode, operationName: string | undefined): void {
    this.projection = this.projector(document, operationName)
  }

  /** Called once its answer is complete: forgets what was loaded. */
  end(): void {
    this.loaders.clear()
  }

  /** What the running operation asks for. */
  get asked(): Projection {
    if (!this.projection) throw new Error('No operation has begun on this context.')
    return this.projection
  }

  /** The value of that key, fetched with all other keys asked of the loader in the same tick, once per operation. */
  load<Value>(loader: Loader<Value>, key: string): Promise<Value> {
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
      loader = new DataLoader<string, unknown>((keys) => timed(name, keys, batch))
      this.loaders.set(identity, loader)
    }
    return loader.load(key) as Promise<Value>
  }

  /** Plain rows of one statement; its text is compiled at the variant's first use. */
  read<Row>({ name, variant, columns, build, values, isSlow }: Read): Promise<Row[]> {
    const selection = columns ? this.asked.selection(columns.entity, columns.also) : none
    const whole = columns ? this.db.columns(columns.entity) : none
    return this.db.read(this.db.statements.get(name, variant, selection, whole, build), values, isSlow)
  }

  /** Runs `work` in one transaction; what was loaded before is forgotten, so that the payload shows what was written. */
  async write<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result> {
    const { result, point } = await this.db.write(work)
    this.written = point ?? this.written
    this.loaders.clear()
    return result
  }
}

/** The viewer, or UNAUTHENTICATED. */
export function requireViewer(ctx: Context): Viewer {
  const { viewer } = ctx
  if (!viewer) throw new Failure('UNAUTHENTICATED', 'Sign in to do this.')
  return viewer
}

/** The viewer if an administrator; else UNAUTHENTICATED or FORBIDDEN. */
export function requireAdmin(ctx: Context): Viewer {
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

async function timed<Value>(
  name: string,
  keys: readonly string[],
  batch: (keys: readonly string[]) => Promise<Value[]>,
): Promise<Value[]> {
  if (!loaded.heard) return batch(keys)
  const started = performance.now()
  try {
    return await batch(keys)
  } finally {
    loaded.publish({ loader: name, keys: keys.length, duration: performance.now() - started })
  }
}
