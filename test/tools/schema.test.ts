import { readFile } from 'node:fs/promises'
import { buildSchema, validateSchema } from 'graphql'
import { expect, test } from 'vitest'
import { emitSchema, schemaFile } from '../../src/tools/schema.js'

test('schema.graphql is what the code says', async () => {
  const written = await readFile(schemaFile, 'utf8')
  expect(written === (await emitSchema()), 'run "npm run schema:emit" and commit schema/schema.graphql').toBe(true)
})

test('schema.graphql is the same at every emission, and a schema on its own', async () => {
  const text = await emitSchema()
  expect(await emitSchema()).toBe(text)
  expect(validateSchema(buildSchema(text))).toEqual([])
})
