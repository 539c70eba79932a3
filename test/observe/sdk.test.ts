import { expect, test } from 'vitest'
import { startTelemetry } from '../../src/observe/sdk.js'

const nothing = { traces: false, metrics: false }

test.each([
  ['no variables', {}],
  ['empty variables', { OTEL_TRACES_EXPORTER: '', OTEL_EXPORTER_OTLP_ENDPOINT: '' }],
  ['every exporter off', { OTEL_TRACES_EXPORTER: 'none', OTEL_METRICS_EXPORTER: 'none', OTEL_LOGS_EXPORTER: 'none' }],
  ['the SDK disabled', { OTEL_SDK_DISABLED: ' True', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' }],
])('with %s nothing is started', async (_, variables) => {
  const { exports, logs, close } = await startTelemetry({ ...variables })
  expect(exports).toEqual(nothing)
  expect(logs).toBeUndefined()
  await close()
})
