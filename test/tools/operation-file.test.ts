import { expect, test } from 'vitest'
import { ConfigError } from '../../src/core/config.js'
import { parseOperation, sentDocument } from '../../src/tools/operation-file.js'

const query = 'query Q($first: Int) {\n  things(first: $first) # warm\n}'

test.each([
  ['nothing', '', undefined],
  ['another line', '# each: things\n', undefined],
  ['a comment that begins alike', '# warmer than that\n', undefined],
  ['the mark alone', '# warm\n', []],
  ['the mark among others', '# from: { things }\n#warm  \n# each: things\n', []],
  ['variables', '# warm: { "first": 20 }\n', [{ first: 20 }]],
  [
    'several sets of them',
    '# warm: {"first": 1}\n# warm:{"first": 2, "after": "a: {b}"}\n',
    [{ first: 1 }, { first: 2, after: 'a: {b}' }],
  ],
])('%s', (_, head, warm) => {
  const operation = parseOperation(`${head}${query}\n`)
  expect(operation.warm).toEqual(warm)
  expect(sentDocument(operation)).toBe(query)
})

test.each(['# warm: first', '# warm: [1]', '# warm: null', '# warm:', '# warm { "first": 20 }'])(
  '%s is refused',
  (mark) => {
    expect(() => parseOperation(`${mark}\n${query}`, 'things')).toThrow(ConfigError)
    expect(() => parseOperation(`${mark}\n${query}`, 'things')).toThrow('things has no variables as JSON')
  },
)
