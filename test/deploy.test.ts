import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { MetricOptions } from '@opentelemetry/api'
import { describe, expect, test } from 'vitest'
import { instruments } from '../src/observe/instruments.js'

/** Beside those of the house, what libraries measure; a histogram has `advice`. */
const metrics: Record<string, MetricOptions> = {
  ...instruments,
  'http.client.request.duration': { unit: 's', advice: {} },
  'nodejs.eventloop.delay.p50': { unit: 's' },
  'nodejs.eventloop.delay.p90': { unit: 's' },
  'nodejs.eventloop.delay.p99': { unit: 's' },
  'nodejs.eventloop.utilization': { unit: '1' },
  'nodejs.eventloop.time': { unit: 's' },
  'v8js.gc.duration': { unit: 's', advice: {} },
  'v8js.memory.heap.used': { unit: 'By' },
  'otel.sdk.processor.span.processed': { unit: '{span}' },
  'otel.sdk.processor.log.processed': { unit: '{log_record}' },
}

const house = join(import.meta.dirname, '..')
const alerts = read('deploy/prometheus/alerts.yml')
const cases = read('deploy/prometheus/alerts.test.yml')
const compose = read('docker-compose.yml')
const collector = read('otel-collector.yaml')
const dashboardFolder = 'deploy/grafana/dashboards'
const dashboards = readdirSync(join(house, dashboardFolder))
  .filter((name) => name.endsWith('.json'))
  .map((name) => ({ name, ...JSON.parse(read(join(dashboardFolder, name))) }))
const relabelings = readRelabelings(read('deploy/prometheus-scrape.yml'))
const rules = alerts.split('- alert: ').slice(1)

describe('metrics', () => {
  test.each(Object.entries(metrics))('%s is called the same, scraped or sent', (name, options) => {
    expect(scrapedNames(name, options)).toEqual(otlpNames(name, options))
  })

  const known = Object.entries(metrics).flatMap(([name, options]) => otlpNames(name, options))
  const unknown = (expression: string) => namesIn(expression).filter((name) => !known.includes(name))

  test.each(rules.map((rule) => [nameOf(rule), rule]))('of the alert %s are known', (_, rule) => {
    const [, expression = ''] = /expr: ([\s\S]*?)\n\s+for:/.exec(rule) ?? []
    expect(namesIn(expression)).not.toEqual([])
    expect(unknown(expression)).toEqual([])
  })

  test.each(dashboards)('of the dashboard $name are known', ({ panels, templating }) => {
    const expressions = panels.flatMap(({ targets }: { targets: { expr: string }[] }) =>
      targets.map(({ expr }) => expr),
    )
    const variables = templating.list.map(({ query }: { query: string }) =>
      query.replace(/^label_values\((.*), \w+\)$/, '$1'),
    )
    for (const expression of [...expressions, ...variables]) expect(unknown(expression)).toEqual([])
    expect(new Set(panels.map(({ id }: { id: number }) => id)).size).toBe(panels.length)
  })
})

describe.each(rules.map((rule) => [nameOf(rule), rule]))('the alert %s', (name, rule) => {
  test('says how severe it is, what is wrong and what to do', () => {
    expect(rule).toMatch(/severity: (warning|critical)/)
    // What is absent has no value.
    expect(rule).toMatch(/summary: ".*\$value|expr: absent_over_time/)
    expect(rule).toMatch(/description: >-\n/)
  })

  test('has a case in which it fires, and one in which it does not', () => {
    const expected = [...cases.matchAll(new RegExp(`alertname: ${name}\\n.*\\n\\s+exp_alerts:(.*)`, 'g'))].map(
      ([, list]) => list,
    )
    expect(expected).toContain('')
    expect(expected).toContain(' []')
  })

  test('is explained in docs/operations.md', () => {
    expect(read('docs/operations.md')).toContain(`\`${name}\``)
  })
})

test('the collector needs core components only, and defines those that its pipelines name', () => {
  const section = (name: string) => new RegExp(`^${name}:\\n((?:(?: .*|#.*)?\\n)+)`, 'm').exec(collector)?.[1] ?? ''
  const core: Record<string, string[]> = {
    receivers: ['otlp'],
    processors: ['memory_limiter', 'batch'],
    exporters: ['otlp', 'otlphttp', 'debug'],
  }
  for (const [kind, types] of Object.entries(core)) {
    const defined = [...section(kind).matchAll(/^ {2}([\w/]+):/gm)].map(([, id = '']) => id)
    const used = [...section('service').matchAll(new RegExp(`${kind}: \\[(.*)\\]`, 'g'))].flatMap(([, ids = '']) =>
      ids.split(', '),
    )
    expect(new Set(used)).toEqual(new Set(defined))
    expect(types).toEqual(expect.arrayContaining(defined.map((id) => id.replace(/\/.*/, ''))))
  }
})

describe('docker-compose.yml', () => {
  test('mounts what exists', () => {
    const mounts = [...compose.matchAll(/^ +- \.\/(.*?):/gm)].map(([, path = '']) => path)
    expect(mounts.length).toBeGreaterThan(0)
    expect(mounts.filter((path) => !existsSync(join(house, path)))).toEqual([])
  })

  test('publishes the app only beyond this host', () => {
    const ports = [...compose.matchAll(/^ +- (\S+:\d+)$/gm)].map(([, port]) => port)
    expect(ports.filter((port) => !port?.startsWith('127.0.0.1:'))).toEqual([expect.stringMatching(/:4000$/)])
  })

  test('pins what it runs beside the app', () => {
    const images = [...compose.matchAll(/image: (.*\/.*)/g)].map(([, image]) => image)
    for (const image of images) expect(image).toMatch(/:v?\d+\.\d+\.\d+$/)
    expect(images.length).toBe(4)
  })

  const hasCompose = spawnSync('docker', ['compose', 'version']).status === 0
  test.skipIf(!hasCompose).each([{ JWT_SECRET: undefined }, { JWT_SECRET: 'a secret of 32 characters or more' }])(
    'is accepted with %o',
    (variables) => {
      execFileSync('docker', ['compose', 'config', '--quiet'], { cwd: house, env: { ...process.env, ...variables } })
    },
  )
})

test('Grafana has the data sources that its dashboards ask', () => {
  const sources = [...read('deploy/grafana/datasources/datasources.yml').matchAll(/uid: (\w+)/g)].map(([, uid]) => uid)
  const asked = [...JSON.stringify(dashboards).matchAll(/"datasource":\{"type":"\w+","uid":"(\w+)"\}/g)].map(
    ([, uid]) => uid,
  )
  expect(sources).toEqual(expect.arrayContaining(asked))
  expect(asked.length).toBeGreaterThan(0)
})

describe('promtool', () => {
  const { stdout = '' } = spawnSync('promtool', ['--version'], { encoding: 'utf8' })
  const [, version = '0'] = /version (\d+)/.exec(stdout) ?? []

  const commands = [
    'check rules deploy/prometheus/alerts.yml',
    'test rules deploy/prometheus/alerts.test.yml',
    'check config deploy/prometheus-scrape.yml',
  ]
  test.skipIf(version === '0').each(commands)('%s', (command) => {
    execFileSync('promtool', command.split(' '), { cwd: house, stdio: 'pipe' })
  })

  test.skipIf(Number(version) < 3)('check config deploy/prometheus.yml, which is for Prometheus 3', () => {
    execFileSync('promtool', ['check', 'config', 'deploy/prometheus.yml'], { cwd: house, stdio: 'pipe' })
  })
})

/** What Prometheus calls a metric that it is sent. */
function otlpNames(name: string, options: MetricOptions): string[] {
  const units: Record<string, string> = { s: '_seconds', By: '_bytes', 1: '_ratio' }
  return series(name.replaceAll('.', '_') + (units[options.unit ?? ''] ?? ''), options)
}

/** What it calls one that it reads from the page, which has no units. */
function scrapedNames(name: string, options: MetricOptions): string[] {
  return series(name.replaceAll('.', '_'), options).map((shown) =>
    relabelings.reduce((label, { regex, replacement }) => label.replace(regex, replacement), shown),
  )
}

/** A counter is not told from a gauge here, but for ratios, which only gauges are. */
function series(name: string, { unit, advice }: MetricOptions): string[] {
  const others = unit === '1' ? [''] : ['', '_total']
  return (advice ? ['_bucket', '_sum', '_count'] : others).map((suffix) => name + suffix)
}

/** The rules that rename metrics: whole names, as Prometheus matches them. */
function readRelabelings(config: string) {
  const rules = config.matchAll(/regex: (.*)\n\s+target_label: __name__\n\s+replacement: (.*)/g)
  return [...rules].map(([, regex, replacement = '']) => ({
    regex: new RegExp(`^(?:${regex})$`),
    replacement: replacement.replace(/\$\{(\d)\}/g, '$$$1'),
  }))
}

/** The metrics that a PromQL expression asks for. */
function namesIn(expression: string): string[] {
  const bare = expression.replace(/\{.*?\}|\[.*?\]|\bby \(.*?\)/g, '')
  return [...bare.matchAll(/\b[a-z]\w*\b(?! *\()/g)].map(([name]) => name).filter((name) => name !== 'and')
}

function nameOf(rule: string): string {
  return /^\w+/.exec(rule)?.[0] ?? ''
}

function read(path: string): string {
  return readFileSync(join(house, path), 'utf8')
}
