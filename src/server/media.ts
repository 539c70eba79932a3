/** The media types an answer may have, the one that is chosen without a preference first. */
const offered = ['application/json', 'application/graphql-response+json'] as const

export type MediaType = (typeof offered)[number]

interface Range {
  readonly type: string
  readonly quality: number
  readonly place: number
}

/** The media type that an Accept header prefers (RFC 9110, 12.5.1); undefined where it takes none of ours. */
export function chooseMediaType(accept: string | undefined): MediaType | undefined {
  if (!accept) return offered[0]
  const ranges = accept.split(',').map(readRange)
  const wishes = offered.flatMap((type) => {
    const range = findRange(ranges, type)
    return range && range.quality > 0 ? [{ type, ...rank(range) }] : []
  })
  wishes.sort((a, b) => b.quality - a.quality || b.exact - a.exact || a.place - b.place)
  return wishes[0]?.type
}

function readRange(text: string, place: number): Range {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim().toLowerCase())
  const quality = parameters.find((parameter) => parameter.startsWith('q='))?.slice(2)
  return { type, place, quality: quality === undefined ? 1 : Number(quality) || 0 }
}

function findRange(ranges: readonly Range[], type: MediaType): Range | undefined {
  for (const wanted of [type, 'application/*', '*/*']) {
    const range = ranges.find((range) => range.type === wanted)
    if (range) return range
  }
  return undefined
}

function rank({ type, quality, place }: Range) {
  return { quality, place, exact: type.includes('*') ? 0 : 1 }
}
