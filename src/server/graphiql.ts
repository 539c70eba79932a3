import { createHash } from 'node:crypto'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import type { FastifyInstance } from 'fastify'

interface Page {
  readonly body: Buffer
  readonly policy: string
}

const firstQuery = `# Ctrl-Space completes, Ctrl-Enter runs.
query First {
  __typename
}
`

/** Answers browsers that open /graphql with GraphiQL, whole in one page: it loads nothing from elsewhere. */
export function serveGraphiql(fastify: FastifyInstance): void {
  let page: Promise<Page> | undefined
  fastify.addHook('preHandler', async (request, reply) => {
    const asks = request.method === 'GET' && request.headers.accept?.includes('text/html')
    if (!asks || request.routeOptions.url !== '/graphql') return
    page ??= render()
    const { body, policy } = await page
    return reply
      .type('text/html; charset=utf-8')
      .header('content-encoding', 'gzip')
      .header('content-security-policy', policy)
      .send(body)
  })
}

/** Several megabytes of script: loaded when first asked for, and only ever sent compressed. */
async function render(): Promise<Page> {
  const { renderGraphiQL } = await import('@graphql-yoga/render-graphiql')
  const blank = { logo: '', favicon: 'data:,' }
  const html = renderGraphiQL({ title: 'GraphiQL', endpoint: '/graphql', defaultQuery: firstQuery, ...blank })
  return { body: await promisify(gzip)(html), policy: policyOf(html) }
}

/** Allows the page its own script by its hash, and what its editor makes at run time: workers and styles. */
function policyOf(html: string): string {
  const scripts = [...html.matchAll(/<script>(.*?)<\/script>/gs)].map(([, script = '']) => script)
  const hashes = scripts.map((script) => `'sha256-${createHash('sha256').update(script).digest('base64')}'`)
  return [
    "default-src 'none'",
    `script-src ${hashes.join(' ')}`,
    'worker-src blob:',
    "style-src 'unsafe-inline'",
    'font-src data:',
    'img-src data:',
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}
