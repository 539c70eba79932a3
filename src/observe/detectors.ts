import { type Facts, type Finding, fact } from '../core/events.js'
import { type BatchInfo, currentScope, type RequestInfo } from '../core/request.js'

/** More runs of one statement for one field, or in one batch, than that were meant to be one. */
const mostRuns = 10

/** What brackets statements, and is none of the business's. */
const brackets = /^(begin|commit|rollback|savepoint|release|set)\b/

/**
 * Looks in some requests for what a resolver or loader does wrong, and tells of each as a finding: statements that are
 * repeated, batches that are split, columns that nobody asked for. `ratio` of all requests are looked into, 0 to 1. The
 * answer stops it.
 */
export function detect(ratio: number): () => void {
  // Weak: what a map that is old has referred to may live until the next whole collection.
  const operations = new WeakMap<RequestInfo, Watched>()
  const watched = () => {
    const request = currentScope()?.request
    return request?.watched ? operations.get(request) : undefined
  }
  const stops = [
    fact('request.started').listen(({ request }) => {
      if (Math.random() < ratio) Object.assign(request, { watched: true, sampled: true })
    }),
    fact('operation.started').listen(({ paths }) => {
      const request = currentScope()?.request
      if (request?.watched) operations.set(request, new Watched(paths))
    }),
    fact('batch.dispatched').listen(({ batch }) => watched()?.batches.push(batch)),
    fact('statement.finished').listen((statement) => watched()?.count(statement)),
    fact('columns.unasked').listen((columns) => watched()?.overFetched.push(columns)),
    fact('operation.finished').listen(() => {
      for (const finding of watched()?.find() ?? []) made.publish(finding)
    }),
    fact('request.finished').listen(({ request }) => operations.delete(request)),
  ]
  return () => {
    for (const stop of stops) stop()
  }
}

const made = fact('finding.made')

/** What one operation did. */
class Watched {
  readonly batches: BatchInfo[] = []
  readonly overFetched: Facts['columns.unasked'][] = []
  /** By who ran them: a batch, a field, or a root field's single call, since a client may ask one by many aliases. */
  private readonly runs = new Map<unknown, Map<string, Run>>()

  constructor(private readonly paths: (coordinate: string) => readonly string[]) {}

  count({ text, statement, inTransaction, duration }: Facts['statement.finished']): void {
    if (brackets.test(statement)) return
    const { batch, field } = currentScope() ?? {}
    const runner = batch ?? (field?.source === undefined ? field : field.coordinate)
    const runs = this.runs.get(runner) ?? new Map<string, Run>()
    this.runs.set(runner, runs)
    // MikroORM writes values into its texts: each differs.
    const key = inTransaction ? statement : text
    const run = runs.get(key) ?? { statement, loader: batch?.loader, field: field?.coordinate, times: 0, took: 0 }
    run.times++
    run.took += duration
    runs.set(key, run)
  }

  find(): Finding[] {
    return [...this.findRepeated(), ...this.findSplit(), ...this.findOverFetched()]
  }

  private findRepeated(): Finding[] {
    const runs = [...this.runs.values()].flatMap((runs) => [...runs.values()])
    return runs
      .filter(({ times }) => times > mostRuns)
      .map(({ statement, loader, field, times, took }) => ({
        kind: 'repeated-statement',
        statement,
        field,
        message:
          `N+1: the statement ${statement} ran ${times} times (${Math.round(took)} ms) ` +
          (loader
            ? `in one batch of the loader ${loader}. State it once for all keys, by = any(keys).`
            : `for ${this.name(field)}. State it once for all keys, by defineLoader, and have the field ask by ctx.load.`),
      }))
  }

  private findSplit(): Finding[] {
    const loaders = [...Map.groupBy(this.batches, ({ of }) => of).values()]
    const levels = loaders.flatMap((batches) => [...Map.groupBy(batches, ({ depth }) => depth).values()])
    return levels.flatMap((batches): Finding[] => {
      const late = batches.flatMap(({ askers }) => askers).filter(({ isLate }) => isLate)
      if (batches.length < 2 || late.length === 0) return []
      const { loader, depth } = batches[0] as BatchInfo
      const suspects = [...new Set(late.map(({ coordinate }) => this.name(coordinate)))].join(', ')
      const extra = batches.length - 1
      return [
        {
          kind: 'split-batch',
          statement: loader,
          field: late[0]?.coordinate,
          message:
            `Split batch: the loader ${loader} was dispatched ${batches.length} times at depth ${depth} ` +
            `(${batches.map(({ keys }) => keys).join(' + ')} keys), ${extra} round ${extra === 1 ? 'trip' : 'trips'} ` +
            `more than needed. After an await it was asked by ${suspects}: ask before the first await.`,
        },
      ]
    })
  }

  private findOverFetched(): Finding[] {
    return this.overFetched.map(({ statement, entity, columns }) => ({
      kind: 'over-fetch',
      statement,
      message:
        `Over-fetch: the statement ${statement} reads ${columns.map((column) => `${entity}.${column}`).join(', ')}, ` +
        'which no field of the operation asked for. Select by the `select` that the statement is given.',
    }))
  }

  private name(field: string | undefined): string {
    if (!field) return 'no field that is known'
    const paths = this.paths(field)
    return paths.length === 0 ? field : `${field} (at ${paths.slice(0, 3).join(', ')})`
  }
}

interface Run {
  readonly statement: string
  readonly loader: string | undefined
  readonly field: string | undefined
  times: number
  took: number
}
