#!lua flags=no-writes
-- Reads handlings.
--
-- KEYS[1]   epoch
-- KEYS[2…]  handlings, at most 1,000
-- ARGV[1]   name of the epoch
--
-- Returns 0 when the epoch is not there, else {count of the epoch, value or nil, …}

local count = redis.call('HGET', KEYS[1], ARGV[1])
if not count then
  return 0
end
local answers = redis.call('MGET', unpack(KEYS, 2))
table.insert(answers, 1, tonumber(count))
return answers
