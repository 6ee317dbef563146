#!lua flags=allow-oom
-- Opens an epoch for claims.
--
-- KEYS[1]  epoch
-- ARGV[1]  its name
--
-- Returns 0 when the epoch is not there, else 1

if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then
  return 0
end
redis.call('HSET', KEYS[1], 'r', '1')
return 1
