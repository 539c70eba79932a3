import type { Span } from './receiver.js'

/** Said by the names already, or by where the span stands. */
const silent =
  /^(url|server|network|user_agent|http\.(request|route)|db\.(system|query\.summary|client)|graphql\.(processing|document|dataloader\.name)|plumbline)\b/
const longest = 70

/** Spans as a tree, each a line: name, kind, ms, attributes, status, then what it links to and its events. */
export function printTree(spans: readonly Span[]): string {
  const ids = new Set(spans.map(({ spanId }) => spanId))
  const print = (parent: (span: Span) => boolean, depth: number): string[] =>
    spans
      .filter(parent)
      .sort((a, b) => a.start - b.start)
      .flatMap((span) => [
        ...linesOf(span, spans).map((line, index) => `${'  '.repeat(depth)}${index > 0 ? '  ' : ''}${line}`),
        ...print(({ parentSpanId }) => parentSpanId === span.spanId, depth + 1),
      ])
  return print(({ parentSpanId }) => !ids.has(parentSpanId), 0).join('\n')
}

function linesOf({ name, kind, start, end, status, attributes, links, events }: Span, spans: readonly Span[]) {
  const told = Object.entries(attributes).filter(([key]) => !silent.test(key))
  const nameOf = (id: string) => spans.find(({ spanId }) => spanId === id)?.name ?? 'a span elsewhere'
  return [
    [name, kind, `${(end - start).toFixed(1)} ms`, ...(status === 'UNSET' ? [] : [status]), ...told.map(print)].join(
      '  ',
    ),
    ...links.map(({ spanId, attributes }) => `→ ${nameOf(spanId)}  ${Object.values(attributes).join(' ')}`),
    ...events.map(({ name, attributes }) => `! ${[name, ...Object.entries(attributes).map(print)].join('  ')}`),
  ]
}

function print([name, value]: [string, unknown]): string {
  const text = String(value).replaceAll(/\s+/g, ' ')
  return `${name}=${text.length > longest ? `${text.slice(0, longest)}…` : text}`
}
