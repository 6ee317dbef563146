#!lua flags=allow-oom
-- Empties the owner of an exact claim and keeps the attempt. Runs when memory is full: it ends work.
--
-- KEYS[1]   epoch
-- KEYS[2…]  handlings
-- ARGV[1]   name of the epoch
-- ARGV[2]   time to live of a claim, ms
-- ARGV[3…]  two per handling:
--   from    tail of the claim
--   tail    of the released claim
--
-- Returns 0 when the epoch is not there, else {count of the epoch, answer, …}. An answer is
--   {value}  accepted, and this is the value now stored
--   value    refused; nil when nothing is stored

local count = redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
if count == 1 then
  redis.call('HDEL', KEYS[1], ARGV[1])
  return 0
end

local function release(key, from, tail)
  local old = redis.call('GET', key)
  if not old or string.sub(old, 1, 2) ~= '11' then
    return old
  end
  local stored_tail = string.sub(old, 7)
  if stored_tail == from then
    local value = string.sub(old, 1, 6) .. tail
    redis.call('SET', key, value, 'PX', ARGV[2])
    return { value }
  end
  return stored_tail == tail and { old } or old
end

local answers = { count }
for i = 2, #KEYS do
  answers[i] = release(KEYS[i], ARGV[i * 2 - 1], ARGV[i * 2])
end
return answers
