import { createHash } from 'node:crypto'
import type { ShapeName, Variables } from './shapes.js'

/** One HTTP request. */
export interface Asked {
  readonly path: string
  /** POST of that JSON; GET without one. */
  readonly body?: string
  readonly headers?: Record<string, string>
}

/** Sends a request and answers the parsed body; throws for any status but 200. */
export type Ask = (asked: Asked) => Promise<unknown>

/** How a server is asked for the shapes, and how its answers are compared. */
export interface Client {
  /** Runs once before anything else is asked. `floor` asks F0. */
  prepare?(ask: Ask, floor: (shape: ShapeName) => Promise<string>): Promise<void>
  /** A shape that is absent is one that the server cannot answer. */
  readonly asks: { readonly [Name in ShapeName]?: (variables: Variables[Name]) => Asked }
  /**
   * The answer in the common form, before {@link canonical}: `{ post }`, `{ posts }`, `{ products }`, `{ user: { orders } }`,
   * ids as UUIDs. Lists are `{ nodes: [] }` or `{ edges: [{ node }] }`, with `pageInfo: { hasNextPage }` or `hasNextPage`
   * in S2 and S4; tags and items are arrays.
   */
  normalise(shape: ShapeName, answer: unknown): unknown
}

/** A GraphQL request. */
export function graphql(query: string, variables?: object, headers?: Record<string, string>): Asked {
  return { path: '/graphql', body: JSON.stringify(variables ? { query, variables } : { query }), headers }
}

/** `value` with every `id` decoded. */
export function mapIds(value: unknown, decode: (id: string) => string): unknown {
  if (Array.isArray(value)) return value.map((item) => mapIds(item, decode))
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      plainName(key) === 'id' && typeof inner === 'string' ? decode(inner) : mapIds(inner, decode),
    ]),
  )
}

/**
 * An answer in the form in which two are equal: aliases and cursors gone, keys sorted, connections as
 * `{ hasNextPage, nodes }`, tags by name, timestamps RFC 3339 with microseconds, numerics as strings without trailing zeros.
 */
export function canonical(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) {
    const items = value.map((item) => canonical(item))
    return key === 'tags' ? items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1)) : items
  }
  if (value === null || value === undefined) return null
  if (times.has(key)) return rfc3339(String(value))
  if (numerics.has(key)) return trimZeros(String(value))
  if (typeof value !== 'object') return value
  const entries = Object.entries(value).map(([name, inner]) => [plainName(name), inner] as const)
  return canonicalObject(Object.fromEntries(entries))
}

/** The first difference of two canonical answers, as text; undefined where they are equal. */
export function findDifference(expected: unknown, found: unknown, path = 'data'): string | undefined {
  if (digest(expected) === digest(found)) return undefined
  if (isObject(expected) && isObject(found)) {
    for (const key of new Set([...Object.keys(expected), ...Object.keys(found)])) {
      const difference = findDifference(expected[key], found[key], `${path}.${key}`)
      if (difference) return difference
    }
  }
  return `${path}: F0 has ${show(expected)}, this one ${show(found)}`
}

const times = new Set(['publishedAt', 'createdAt'])
const numerics = new Set(['price', 'total', 'unitPrice', 'weight'])
const dropped = new Set(['cursor', 'startCursor', 'endCursor', '__typename', 'edges', 'pageInfo', 'extensions'])

function canonicalObject(value: Record<string, unknown>): unknown {
  const edges = value.edges as { node: unknown }[] | undefined
  const page = value.pageInfo as { hasNextPage: boolean } | undefined
  const flat = {
    ...value,
    ...(edges && { nodes: edges.map((edge) => nodeOf(edge)) }),
    ...(page && { hasNextPage: page.hasNextPage }),
  }
  const kept = Object.entries(flat).filter(([key]) => !dropped.has(key))
  return Object.fromEntries(
    kept.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, inner]) => [key, canonical(inner, key)]),
  )
}

function nodeOf(edge: object): unknown {
  return Object.entries(edge).find(([key]) => plainName(key) === 'node')?.[1]
}

function plainName(key: string): string {
  return key.replace(/^x\d+_/, '')
}

function rfc3339(text: string): string {
  const [, day, time, fraction = '', zone = 'Z'] =
    /^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d(?::?\d\d)?)?$/.exec(text) ?? []
  if (!day || !/^(Z|\+00(:?00)?)$/.test(zone)) return `not a time in UTC: ${text}`
  return `${day}T${time}.${fraction.padEnd(6, '0')}Z`
}

function trimZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}

function digest(value: unknown): string {
  return createHash('sha1')
    .update(JSON.stringify(value) ?? 'undefined')
    .digest('base64')
}

function show(value: unknown): string {
  return (JSON.stringify(value) ?? 'nothing').slice(0, 200)
}
