import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/core/config.js'
import { parseRedisUrl } from '../../src/core/redis-url.js'
import { jwtSecret } from '../settings.js'

const plain = { isEncrypted: false, database: 0 }

describe('a URL says', () => {
  test.each([
    ['redis://one', { ...plain, hosts: [{ host: 'one', port: 6379 }] }],
    ['redis://one:80/', { ...plain, hosts: [{ host: 'one', port: 80 }] }],
    ['redis://[::1]:7/3', { ...plain, hosts: [{ host: '::1', port: 7 }], database: 3 }],
    ['redis://:p%40ss@one', { ...plain, hosts: [{ host: 'one', port: 6379 }], password: 'p@ss' }],
    [
      'rediss://me:a:b@one:6380',
      { ...plain, isEncrypted: true, hosts: [{ host: 'one', port: 6380 }], username: 'me', password: 'a:b' },
    ],
    [
      'redis+sentinel://me:pass@one,two:7/house/2?sentinelPassword=wa%26tch',
      {
        ...plain,
        hosts: [
          { host: 'one', port: 26379 },
          { host: 'two', port: 7 },
        ],
        master: 'house',
        username: 'me',
        password: 'pass',
        sentinelPassword: 'wa&tch',
        database: 2,
      },
    ],
  ])('%s', (url, place) => expect(parseRedisUrl(url)).toEqual(place))
})

test.each([
  'http://:a-secret@one',
  'redis://',
  'redis://:a-secret@one/nothing',
  'redis://:a-secret@one:port',
  'redis://:a-secret@one?family=6',
  'redis://:a-secret@one,two',
  'redis://:a-secret%zz@one',
  'redis+sentinel://:a-secret@one',
  'redis+sentinel://:a-secret@one,/house',
])('%s is refused, without being told', (url) => {
  const load = () => loadConfig({ DATABASE_URL: 'postgresql://a/b', JWT_SECRET: jwtSecret, REDIS_URL: url })
  expect(load).toThrow(/REDIS_URL: must be redis:\/\/host/)
  expect(load).not.toThrow(/secret/)
})
