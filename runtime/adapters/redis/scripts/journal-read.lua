#!lua flags=no-writes
-- Reads journals.
--
-- KEYS[1]   epoch
-- KEYS[2…]  journals: hashes with one field per name
-- ARGV[1]   name of the epoch
--
-- Returns 0 when the epoch is not there, else {count of the epoch, {name, value, …}, …}

local count = redis.call('HGET', KEYS[1], ARGV[1])
if not count then
  return 0
end
local answers = { tonumber(count) }
for i = 2, #KEYS do
  answers[i] = redis.call('HGETALL', KEYS[i])
end
return answers
