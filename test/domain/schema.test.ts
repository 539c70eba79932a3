import type { GraphQLSchema } from 'graphql'
import { beforeAll, expect, test } from 'vitest'
import { slices } from '../../src/domain/index.js'
import {
  findConnectionFaults,
  findMutationFaults,
  findNodeFaults,
  findUndescribed,
  introspect,
} from '../schema-checks.js'
import { startBusiness } from '../support.js'

let schema: GraphQLSchema
beforeAll(async () => {
  await using business = await startBusiness()
  schema = await introspect(business)
})

test('everything has a description', () => expect(findUndescribed(schema)).toEqual([]))

test('connections are those of the Relay specification', () => expect(findConnectionFaults(schema)).toEqual([]))

test('nodes are those of the Relay specification', () => {
  const nodes = slices.flatMap((slice) => slice.nodes).map(({ type }) => type)
  expect(findNodeFaults(schema, nodes)).toEqual([])
})

test('mutations take one input and answer a payload', () => expect(findMutationFaults(schema)).toEqual([]))
