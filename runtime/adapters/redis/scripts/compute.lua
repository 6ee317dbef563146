#!lua
-- Enters `computed`, from nothing or from an exact claim. The bytes stored first stay.
--
-- KEYS[1]   epoch
-- KEYS[2…]  handlings
-- ARGV[1]   name of the epoch
-- ARGV[2]   time to live of a computed value, ms
-- ARGV[3…]  three per handling:
--   from    '' nothing stored · tail of the claim
--   value   to store, with generation 0
--   own     length of the value without outputs: what must be equal for a repetition of one's own
--
-- Returns 0 when the epoch is not there, else {count of the epoch, answer, …}. An answer is
--   1        accepted, as requested
--   {value}  accepted before, and this is the value stored then
--   value    refused; nil when nothing is stored

local count = redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
if count == 1 then
  redis.call('HDEL', KEYS[1], ARGV[1])
  return 0
end

local NO_GENERATION = '\0\0\0\0'

local function compute_from_claim(key, tail, value)
  local old = redis.call('GET', key)
  if not old or string.sub(old, 1, 2) ~= '11' or string.sub(old, 7) ~= tail then
    return old
  end
  local generation = '\0' .. string.sub(old, 4, 6)
  if generation ~= NO_GENERATION then
    value = '12' .. generation .. string.sub(value, 7)
  end
  redis.call('SET', key, value, 'PX', ARGV[2])
  return nil
end

local answers = { count }
for i = 2, #KEYS do
  local from, value, own = ARGV[i * 3 - 3], ARGV[i * 3 - 2], tonumber(ARGV[i * 3 - 1])
  local old
  if from == '' then
    old = redis.call('SET', KEYS[i], value, 'PX', ARGV[2], 'NX', 'GET') or nil
    answers[i] = old or 1
  else
    old = compute_from_claim(KEYS[i], from, value)
    if old == nil then
      answers[i] = 1
    else
      answers[i] = old
    end
  end
  if old and string.sub(old, 1, 2) == '12' and string.sub(old, 7, own) == string.sub(value, 7, own) then
    answers[i] = { old }
  end
end
return answers
