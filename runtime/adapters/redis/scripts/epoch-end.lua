#!lua flags=allow-oom
-- Ends an epoch whose count went back: what is stored in it is older than what was known.
--
-- KEYS[1]  epoch
-- ARGV[1]  its name

if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 1 then
  redis.call('DEL', KEYS[1])
end
return 1
