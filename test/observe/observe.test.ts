import { expect, test } from 'vitest'
import { fact } from '../../src/core/events.js'
import { startHouse } from '../support.js'

test.each([
  ['0', false],
  ['0.01', true],
])('with DETECTORS_RATIO=%s it is %s that somebody hears what only detectors ask for', async (ratio, isHeard) => {
  await using _house = await startHouse({ DETECTORS_RATIO: ratio })
  for (const name of ['columns.unasked', 'batch.dispatched'] as const) expect(fact(name).heard).toBe(isHeard)
})
