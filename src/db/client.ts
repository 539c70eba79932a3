import { Client, type ClientConfig } from 'pg'
import { fact } from '../core/events.js'
import { traceComment } from './comment.js'

const finished = fact('statement.finished')

/** The driver's client, telling of what MikroORM runs by it, which is all in transactions; our reads tell of themselves. */
export class TellingClient extends Client {
  private readonly traceContext: boolean

  constructor(config: ClientConfig & { traceContext?: boolean } = {}) {
    super(config)
    this.traceContext = config.traceContext ?? false
  }

  // The driver's many forms of this method are one to us: whatever answers by a promise is a statement of MikroORM's.
  // biome-ignore lint/suspicious/noExplicitAny: an override takes and answers what each of those forms does
  override query(...args: any[]): any {
    const [text, values = []] = args
    const run = () => super.query(...(args as Parameters<Client['query']>)) as unknown
    if (typeof text !== 'string') return run()
    const started = performance.now()
    if (this.traceContext) args[0] = text + traceComment()
    const answer = run()
    if (!finished.heard || !(answer instanceof Promise)) return answer
    const tell = (rows: number, error?: unknown) => {
      const told = {
        statement: nameOf(text),
        text,
        values,
        rows,
        duration: performance.now() - started,
        wait: 0,
        error,
      }
      finished.publish({ ...told, pool: 'primary', inTransaction: true, field: undefined })
    }
    answer.then(
      ({ rowCount }: { rowCount: number | null }) => tell(rowCount ?? 0),
      (error) => tell(0, error),
    )
    return answer
  }
}

/** What a statement does, and to which table where it quotes one as MikroORM does: as many names as there are tables. */
function nameOf(text: string): string {
  const [verb = 'statement'] = /[a-z]+/i.exec(text.replace(/^(?:\s+|--.*\n|\/\*.*?\*\/|\()+/, '')) ?? []
  const [, table] = /^[^']*?\b(?:into|update|from)\s+(?:"\w+"\.)?"(\w+)"/is.exec(text) ?? []
  return table ? `${verb.toLowerCase()} ${table}` : verb.toLowerCase()
}
