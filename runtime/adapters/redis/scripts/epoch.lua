#!lua
-- Adopts the epoch of a store, or begins one: an agent's first call in a process.
--
-- KEYS[1]  epoch: a hash with one field, named by the epoch, that counts the writing calls in it
-- ARGV[1]  name of the epoch to begin when there is none
--
-- Returns {name of the epoch, count}

local epoch = redis.call('HGETALL', KEYS[1])
if epoch[1] then
  return { epoch[1], tonumber(epoch[2]) }
end
redis.call('HSET', KEYS[1], ARGV[1], 1)
return { ARGV[1], 1 }
