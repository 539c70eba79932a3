import { afterAll, beforeAll, describe, test } from 'vitest'
import { converse, type Told } from './conversation.js'
import { errorRules } from './error-rules.js'
import { loaderRules } from './loader-rules.js'
import { logRules } from './log-rules.js'
import { metricRules } from './metric-rules.js'
import { operationRules } from './operation-rules.js'
import { compileHouse, type House, writeOperations } from './process.js'
import { type Protocol, startReceiver } from './receiver.js'
import { known } from './session.js'
import { traceRules } from './trace-rules.js'

const rules = [...traceRules, ...operationRules, ...loaderRules, ...errorRules, ...metricRules, ...logRules]
const protocols: readonly Protocol[] = ['http/protobuf', 'grpc']

let house: House
let receiver: Awaited<ReturnType<typeof startReceiver>>
const told = {} as Record<Protocol, Told>

beforeAll(async () => {
  ;[house, receiver] = await Promise.all([compileHouse('test/observe/slices.ts'), startReceiver()])
  await writeOperations(house, known)
  await Promise.all(
    protocols.map(async (protocol) => {
      told[protocol] = await converse(house, receiver, protocol)
    }),
  )
})

afterAll(async () => {
  await receiver.close()
  await house[Symbol.asyncDispose]()
})

describe.each(protocols)('exported by %s', (protocol) => {
  test.each(rules)('$id $level: $text', ({ check }) => check(told[protocol]))
})
