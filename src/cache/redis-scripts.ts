import { defineScript } from '../redis/script.js'

/** KEYS: entries, then tags. ARGV: how many entries, a version for tags that have none, its life: anew at half of it. */
export const readOrMake = defineScript<(Buffer | null)[]>(`
  local answer = redis.call('mget', unpack(KEYS))
  for i = tonumber(ARGV[1]) + 1, #KEYS do
    if not answer[i] then
      local set = redis.pcall('set', KEYS[i], ARGV[2], 'px', ARGV[3])
      if set.ok then answer[i] = ARGV[2] end
    elseif redis.call('pttl', KEYS[i]) < ARGV[3] / 2 then
      redis.pcall('pexpire', KEYS[i], ARGV[3])
    end
  end
  return answer`)

/** KEYS: entries. ARGV: the bytes and the life of each. */
export const keepAll = defineScript<null>(`
  for i = 1, #KEYS do redis.call('set', KEYS[i], ARGV[2 * i - 1], 'px', ARGV[2 * i]) end`)

/** KEYS: tags. ARGV: the channel, the message. */
export const changeAll = defineScript<null>(`
  redis.call('unlink', unpack(KEYS))
  redis.call('publish', ARGV[1], ARGV[2])`)

/** KEYS: a lock. ARGV: whose it is. */
export const unlock = defineScript<null>(`
  if redis.call('get', KEYS[1]) == ARGV[1] then redis.call('unlink', KEYS[1]) end`)
