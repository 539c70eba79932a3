import type { Data } from './data.js'
import { query, runProgram } from './data.js'
import { cpuOf, cpuOfPostgres, median, sleep } from './measure.js'
import { type Running, startServer } from './processes.js'
import { table } from './report.js'
import type { Server } from './servers.js'

interface Options {
  readonly data: Data
  readonly secret: string
  readonly rounds: number
  readonly tell: (message: string) => void
}

/** Jobs of one measurement. */
const jobs = 10_000
/** Of one process. */
const concurrency = 4

const variants = ['jobs-plain', 'jobs-plumbline'].flatMap((bench) =>
  [1, 2].map((workers) => ({ bench, workers, rounds: [] as { rate: number; worker: number; postgres: number }[] })),
)

/** What an empty job costs, by this project's worker and by the engine alone, in processes of four jobs at a time. */
export async function reportJobs({ data, secret, rounds, tell }: Options): Promise<string> {
  const url = await createQueue(data.url)
  for (let round = 0; round < rounds; round++) {
    tell(`jobs, round ${round + 1} of ${rounds}`)
    for (const variant of round % 2 === 0 ? variants : variants.toReversed()) {
      const server = {
        name: variant.bench,
        program: { bench: variant.bench },
        variables: () => ({ LOG_LEVEL: 'warn', NO_LOG_SUCCESS: '1' }),
      }
      const start = () => startServer(server as unknown as Server, { databaseUrl: url, secret, pool: concurrency })
      const workers = await Promise.all(Array.from({ length: variant.workers }, start))
      await measure(data, url, workers)
      variant.rounds.push(await measure(data, url, workers))
      for (const worker of workers) await worker.stop()
    }
  }
  const rows = variants.map(({ bench, workers, rounds: own }) => {
    const plain = variants.find((other) => other.workers === workers)?.rounds ?? []
    const middle = (values: number[]) => median(values).value
    const ratio = middle(own.map((each, index) => sum(each) / sum(plain[index] ?? each)))
    return [
      bench === 'jobs-plain' ? 'graphile-worker alone' : 'Plumbline',
      String(workers),
      ...[middle(own.map(({ rate }) => rate)), middle(own.map((each) => each.worker))].map((value) => value.toFixed(0)),
      middle(own.map(({ postgres }) => postgres)).toFixed(0),
      bench === 'jobs-plain' ? '1' : ratio.toFixed(2),
    ]
  })
  return [
    `Empty jobs, ${jobs} a measurement, ${concurrency} at a time in each process: CPU time a job in µs; medians of ${rounds} rounds and of their own ratios.`,
    table(['', 'processes', 'jobs/s', 'worker', 'PostgreSQL', 'both'], rows),
  ].join('\n\n')
}

const sum = ({ worker, postgres }: { worker: number; postgres: number }) => worker + postgres

/** Stands still while the queue is filled. */
async function measure({ pid }: Data, url: string, workers: readonly Running[]) {
  for (const worker of workers) process.kill(worker.pid, 'SIGSTOP')
  await query(
    url,
    `select count(*) from (select graphile_worker.add_job('empty', '{"payload":{}}') from generate_series(1, $1)) as added`,
    [jobs],
  )
  await query(url, 'vacuum analyze graphile_worker._private_jobs')
  const cpu = () => ({
    worker: workers.reduce((total, worker) => total + cpuOf(worker.pid), 0),
    postgres: cpuOfPostgres(pid),
  })
  const [before, began] = [cpu(), performance.now()]
  for (const worker of workers) process.kill(worker.pid, 'SIGCONT')
  const left = 'select 1 from graphile_worker._private_jobs limit 1'
  while ((await query(url, left)).length > 0) await sleep(100)
  const [after, took] = [cpu(), performance.now() - began]
  return {
    rate: (1000 * jobs) / took,
    worker: (after.worker - before.worker) / jobs,
    postgres: (after.postgres - before.postgres) / jobs,
  }
}

/** A database with nothing but a queue. */
async function createQueue(server: string): Promise<string> {
  await query(server, 'drop database if exists jobs')
  await query(server, 'create database jobs')
  const url = new URL(server)
  url.pathname = '/jobs'
  await runProgram('dist/tools/migrate.js', [], { DATABASE_URL: url.href, LOG_LEVEL: 'warn' })
  return url.href
}
