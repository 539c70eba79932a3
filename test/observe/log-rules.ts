import { expect, inject } from 'vitest'
import { jwtSecret } from '../settings.js'
import { server, shutdownTimeout, spanIn, type Told } from './conversation.js'
import { rulesOf } from './rules.js'
import { fieldSpansToken } from './session.js'

const linesOf = ({ logs, sent }: Told, name: string) => logs.filter(({ traceId }) => traceId === sent[name]?.traceId)

/** What logs tell, and that a server's end loses nothing. */
export const logRules = rulesOf('log', [
  [
    'MUST',
    'a line is a log record with severity and body',
    (told) => {
      for (const name of Object.keys(told.sent)) {
        const requests = linesOf(told, name).filter(({ body }) => body === 'request')
        expect(requests).toMatchObject([{ severityText: 'info', severityNumber: 9, attributes: { path: '/graphql' } }])
      }
    },
  ],
  [
    'MUST',
    'the line of a request bears its trace and the id of its span',
    (told) => {
      for (const name of ['tree', 'again', 'unparsable', 'invalid', 'lost', 'last']) {
        const [request] = linesOf(told, name).filter(({ body }) => body === 'request')
        expect(request?.spanId).toBe(spanIn(told, name, server).spanId)
      }
    },
  ],
  [
    'MUST',
    'what failed inside is a record of severity error in the same trace, with the exception',
    (told) => {
      const failures = linesOf(told, 'partial').filter(({ severityNumber }) => severityNumber === 17)
      expect(failures).toHaveLength(12)
      expect(failures[0]).toMatchObject({ severityText: 'error', attributes: { 'exception.type': 'DatabaseError' } })
      expect(linesOf(told, 'tree').filter(({ severityNumber }) => severityNumber >= 17)).toEqual([])
    },
  ],
  [
    'MUST',
    'what is logged outside of requests is in no trace',
    ({ logs }) => {
      expect(logs.filter(({ body }) => body === 'ready')).toMatchObject([{ traceId: '', spanId: '' }])
    },
  ],
  [
    'SHOULD',
    'a request that is not sampled is logged in its caller’s trace all the same',
    (told) => {
      expect(linesOf(told, 'unsampled').map(({ body }) => body)).toContain('request')
    },
  ],
  [
    'MUST',
    'no signal tells an authorization, a password, a secret or a token',
    ({ spans, points, logs, resource }) => {
      const all = JSON.stringify({ spans, points, logs, resource })
      const { password } = new URL(inject('postgres'))
      for (const text of [
        'Bearer',
        'authorization',
        'eyJ',
        jwtSecret,
        fieldSpansToken,
        ...(password ? [password] : []),
      ])
        expect(all).not.toContain(text)
    },
  ],
  [
    'MUST',
    'on SIGTERM it exits with 0, in SHUTDOWN_TIMEOUT_MS',
    ({ exit }) => {
      expect(exit.code).toBe(0)
      expect(exit.took).toBeLessThan(shutdownTimeout)
    },
  ],
  [
    'MUST',
    'the last spans, metrics and records arrive before it exits',
    (told) => {
      expect(spanIn(told, 'last', server).status).toBe('UNSET')
      expect(linesOf(told, 'last').map(({ body }) => body)).toEqual(expect.arrayContaining(['request']))
      const { points, logs, traceId } = told.quiet
      const measured = points.filter(({ metric }) => metric === 'graphql.server.request.duration')
      expect(measured).toMatchObject([{ count: 1, attributes: { 'graphql.operation.name': 'Tree' } }])
      expect(logs.some((record) => record.traceId === traceId && record.body === 'request')).toBe(true)
    },
  ],
])
