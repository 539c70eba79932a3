import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect } from 'vitest'
import { testWith, works } from '../needs.js'
import { freePort } from '../ports.js'
import { createTestDatabase } from '../support.js'
import { compileHouse, writeOperations } from './process.js'

const deploy = join(import.meta.dirname, '../../deploy')
const needed = {
  name: 'prometheus',
  isThere: works('prometheus', '--version'),
  install: 'apt-get install prometheus',
}

testWith(needed)('a real Prometheus scrapes /metrics, under the names that the alert rules ask for', async () => {
  const database = await createTestDatabase('template_house')
  await using house = await compileHouse('test/observe/slices.ts')
  await writeOperations(house, { known: 'query Known { __typename }' })
  const port = await freePort()
  const metrics = { OTEL_METRICS_EXPORTER: 'prometheus', OTEL_EXPORTER_PROMETHEUS_PORT: String(port) }
  const server = await house.run({ DATABASE_URL: database.url, ...metrics })
  const prometheus = await startPrometheus(port)
  try {
    for (const query of ['query Known { __typename }', 'query Any { __typename }', '{ nothing }'])
      await fetch(`${server.url}/graphql`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query }),
      })
    const names = () =>
      prometheus.values('sum by (graphql_operation_name) (graphql_server_request_duration_seconds_count)')
    await expect.poll(names).toEqual({ Known: 1, _OTHER: 2 })
    expect(await prometheus.values('up')).toEqual({ '': 1 })
    const rules = await prometheus.ask('rules')
    expect(rules.groups[0].rules.map(({ health }: { health: string }) => health)).not.toContain('err')
    expect(rules.groups[0].rules.length).toBeGreaterThanOrEqual(5)
    for (const name of ['nodejs_eventloop_delay_p99_seconds', 'db_client_connection_max', 'process_memory_usage_bytes'])
      expect(Object.values(await prometheus.values(name))[0], name).toBeGreaterThan(0)
  } finally {
    await prometheus.stop()
    await server.stop()
    await database.drop()
  }
})

/** Prometheus with the repository's own configuration, but for where it scrapes and how often. */
async function startPrometheus(target: number) {
  const folder = await mkdtemp(join(tmpdir(), 'prometheus-'))
  const config = await readFile(join(deploy, 'prometheus-scrape.yml'), 'utf8')
  const hurried = config
    .replaceAll(/_interval: \d+s/g, '_interval: 1s')
    .replace(/127\.0\.0\.1:9464/, `127.0.0.1:${target}`)
  await writeFile(join(folder, 'prometheus.yml'), hurried)
  await cp(join(deploy, 'prometheus'), join(folder, 'prometheus'), { recursive: true })
  const port = await freePort()
  const flags = [`--config.file=${folder}/prometheus.yml`, `--storage.tsdb.path=${folder}/data`]
  const child = spawn('prometheus', [...flags, `--web.listen-address=127.0.0.1:${port}`], { stdio: 'ignore' })
  const ended = once(child, 'exit')
  // biome-ignore lint/suspicious/noExplicitAny: its answers have many shapes
  const ask = async (path: string): Promise<any> =>
    (await (await fetch(`http://127.0.0.1:${port}/api/v1/${path}`)).json()).data
  await expect.poll(() => ask('rules').catch(() => undefined)).toBeDefined()
  return {
    ask,
    /** A query's values by their operation's name. */
    async values(query: string): Promise<Record<string, number>> {
      const { result } = await ask(`query?query=${encodeURIComponent(query)}`)
      return Object.fromEntries(
        result.map(({ metric, value }: { metric: Record<string, string>; value: [number, string] }) => [
          metric.graphql_operation_name ?? '',
          Number(value[1]),
        ]),
      )
    },
    async stop() {
      child.kill('SIGTERM')
      await ended
      await rm(folder, { recursive: true, force: true })
    },
  }
}
