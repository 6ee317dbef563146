#!lua
-- Puts fields back: values of journals, members of joins.
--
-- KEYS[1]   epoch
-- KEYS[2…]  hashes
-- ARGV[1]   name of the epoch
-- ARGV[2]   time to live of the hashes, ms
-- ARGV[3…]  two per hash:
--   field
--   value   one that begins with `1d` (a member of a join that has fired) replaces what is there
--
-- Returns 0 when the epoch is not there, else {count of the epoch}

local count = redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
if count == 1 then
  redis.call('HDEL', KEYS[1], ARGV[1])
  return 0
end
for i = 2, #KEYS do
  local field, value = ARGV[i * 2 - 1], ARGV[i * 2]
  if string.sub(value, 1, 2) == '1d' then
    redis.call('HSET', KEYS[i], field, value)
  else
    redis.call('HSETNX', KEYS[i], field, value)
  end
  redis.call('PEXPIRE', KEYS[i], ARGV[2])
end
return { count }
