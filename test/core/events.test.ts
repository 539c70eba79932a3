import { once } from 'node:events'
import { expect, test } from 'vitest'
import { type Facts, fact } from '../../src/core/events.js'

test('a listener that throws is a warning, and the others hear all the same', async () => {
  const columns = fact('columns.unasked')
  const heard: Facts['columns.unasked'][] = []
  const stops = [
    columns.listen(() => {
      throw new TypeError('a listener of ours')
    }),
    columns.listen((value) => void heard.push(value)),
  ]
  const warned = once(process, 'warning')
  columns.publish({ statement: 'a', entity: 'B', columns: [] })
  for (const stop of stops) stop()
  expect(heard).toHaveLength(1)
  expect((await warned)[0]).toMatchObject({ message: 'a listener of ours' })
  expect(columns.heard).toBe(false)
})
