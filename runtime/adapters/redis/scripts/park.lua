#!lua flags=allow-oom
-- The order of one key behind a failed event. Runs when memory is full: what waits must be let go.
--
-- KEYS[1]  mark of the partition: there is an index
-- KEYS[2]  set of the keys of the partition of which something waits
-- KEYS[3]  offsets that wait for this key, sorted
-- KEYS[4]  hash, offset to the offset of its record on the `parked` topic
-- ARGV[1]  block · admit · store · leave
-- ARGV[2]  key of the events
-- ARGV[3]  offset
-- ARGV[4]  for `store`: offset of its record
--
-- Returns 0 when the index is not there; for `admit` free · turn · park; else {} or {offset, offset of the record} of the first event
-- of the key, where that is stored.

if redis.call('EXISTS', KEYS[1]) == 0 then
  return 0
end
local op, key, offset = ARGV[1], ARGV[2], ARGV[3]

local function first()
  return redis.call('ZRANGE', KEYS[3], 0, 0)[1]
end

if op == 'admit' then
  if not first() then
    return 'free'
  end
  redis.call('ZADD', KEYS[3], offset, offset)
  if first() == offset and redis.call('HEXISTS', KEYS[4], offset) == 0 then
    return 'turn'
  end
  return 'park'
end

if op == 'leave' then
  redis.call('ZREM', KEYS[3], offset)
  redis.call('HDEL', KEYS[4], offset)
  if not first() then
    redis.call('SREM', KEYS[2], key)
  end
else
  redis.call('ZADD', KEYS[3], offset, offset)
  redis.call('SADD', KEYS[2], key)
  if op == 'store' then
    redis.call('HSET', KEYS[4], offset, ARGV[4])
  end
end
local head = first()
local place = head and redis.call('HGET', KEYS[4], head)
return place and { head, place } or {}
