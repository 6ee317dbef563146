#!lua flags=allow-oom
-- Enters `handed`, from nothing or from an exact claim. Runs when memory is full: it ends work.
--
-- KEYS[1]   epoch
-- KEYS[2…]  handlings
-- ARGV[1]   name of the epoch
-- ARGV[2]   time to live of `handed`, ms
-- ARGV[3…]  two per handling:
--   from    '' nothing stored · tail of the claim
--   tail    of the new value: kind, attempt
--
-- Returns 0 when the epoch is not there, else {count of the epoch, answer, …}. An answer is
--   1        accepted, as requested
--   value    refused; nil when nothing is stored

local count = redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
if count == 1 then
  redis.call('HDEL', KEYS[1], ARGV[1])
  return 0
end

local NO_GENERATION = '\0\0\0\0'

local function hand(key, from, tail)
  local old
  if from == '' then
    old = redis.call('SET', key, '13' .. NO_GENERATION .. tail, 'PX', ARGV[2], 'NX', 'GET')
    if not old then
      return 1
    end
  else
    old = redis.call('GET', key)
    if old and string.sub(old, 1, 2) == '11' and string.sub(old, 7) == from then
      redis.call('SET', key, '13\0' .. string.sub(old, 4, 6) .. tail, 'PX', ARGV[2])
      return 1
    end
  end
  if old and string.sub(old, 1, 2) == '13' and string.sub(old, 7) == tail then
    return 1
  end
  return old
end

local answers = { count }
for i = 2, #KEYS do
  answers[i] = hand(KEYS[i], ARGV[i * 2 - 1], ARGV[i * 2])
end
return answers
