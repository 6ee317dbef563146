#!lua flags=allow-oom
-- Restores what waits in one partition, or a piece of it, unless the index is there.
--
-- KEYS[1]  mark of the partition: there is an index
-- KEYS[2]  set of the keys of the partition of which something waits
-- KEYS[3…] two per entry: offsets that wait for the key, hash of their records
-- ARGV[1]  1 when this is all, or the last piece
-- ARGV[2…] three per entry: key, offset, offset of its record or ''

if redis.call('EXISTS', KEYS[1]) == 0 then
  for i = 3, #KEYS, 2 do
    local at = 1 + (i - 3) / 2 * 3
    local key, offset, place = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
    redis.call('ZADD', KEYS[i], offset, offset)
    redis.call('SADD', KEYS[2], key)
    if place ~= '' then
      redis.call('HSET', KEYS[i + 1], offset, place)
    end
  end
  if ARGV[1] == '1' then
    redis.call('SET', KEYS[1], '1')
  end
end
return 1
