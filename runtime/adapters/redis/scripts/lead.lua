#!lua
-- Takes or keeps the lease of the one who puts back what was lost.
--
-- KEYS[1]  lease
-- ARGV[1]  instance
-- ARGV[2]  time to live, ms
--
-- Returns 1 when the instance has it, else 0

local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
