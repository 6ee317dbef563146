#!lua flags=allow-oom
-- Removes a mark, unless it says something else. Runs when memory is full: it gives memory back.
--
-- KEYS[1]  mark
-- ARGV[1]  what it must say
--
-- Returns how many were removed.

if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
