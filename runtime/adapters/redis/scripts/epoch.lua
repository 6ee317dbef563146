#!lua
-- Adopts the epoch of a store, or begins one: an agent's first call in a process.
--
-- KEYS[1]  epoch: a hash with one field that is named by the epoch and counts the writing calls in it, and the field `r` once
--          everything that the log knows has been put back
-- ARGV[1]  name of the epoch to begin when there is none
--
-- Returns {name of the epoch, count, 1 when `r` is there, else 0}

local epoch = redis.call('HGETALL', KEYS[1])
local name, count, recovered = nil, nil, 0
for i = 1, #epoch, 2 do
  if epoch[i] == 'r' then
    recovered = 1
  else
    name, count = epoch[i], tonumber(epoch[i + 1])
  end
end
if name then
  return { name, count, recovered }
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], ARGV[1], 1)
return { ARGV[1], 1, 0 }
