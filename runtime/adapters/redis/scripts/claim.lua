#!lua
-- Enters `claimed`: on nothing, taking over an exact claim, going on from an exact hand-over, or redriving the settled dead
-- letter of an exact generation, which enters `computed` where a result is kept with it.
--
-- KEYS[1]   epoch
-- KEYS[2…]  handlings
-- ARGV[1]   name of the epoch
-- ARGV[2]   time to live of a claim, ms
-- ARGV[3…]  three per handling:
--   from    '' nothing stored · 'c' + tail of the claim to take over · 'h' + tail of the hand-over · 'x' + generation (4 bytes) of the dead letter
--   tail    of the new claim: attempt, owner; after 'x' the owner alone, the attempt counts on from the dead letter's
--   deaths  1 byte, for '' and 'c'
--
-- Returns 0 when the epoch is not there, else {count of the epoch, answer, …}. An answer is
--   1        accepted, as requested
--   {value}  accepted, and this is the value now stored
--   value    refused; nil when nothing is stored

local count = redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
if count == 1 then
  redis.call('HDEL', KEYS[1], ARGV[1])
  return 0
end

local NO_GENERATION = '\0\0\0'
local NO_DEATHS = '\0'

local function claim_absent(key, tail, deaths)
  local value = '11' .. deaths .. NO_GENERATION .. tail
  local old = redis.call('SET', key, value, 'PX', ARGV[2], 'NX', 'GET')
  if not old or old == value then
    return 1
  end
  return old
end

-- `state` is what `old_tail` belongs to: a claim, or a hand-over.
local function go_on(key, state, old_tail, tail, deaths)
  local old = redis.call('GET', key)
  if not old then
    return old
  end
  local stored, stored_tail = string.sub(old, 1, 2), string.sub(old, 7)
  if stored == state and stored_tail == old_tail then
    redis.call('SET', key, '11' .. deaths .. string.sub(old, 4, 6) .. tail, 'PX', ARGV[2])
    return 1
  end
  return stored == '11' and stored_tail == tail and { old } or old
end

local function redrive(key, generation, owner)
  local old = redis.call('GET', key)
  if not old or string.sub(old, 3, 6) ~= generation then
    return old
  end
  local state = string.sub(old, 1, 2)
  if state == '14' and #old == 11 + string.byte(old, 11) then
    local attempt = struct.unpack('>I4', old, 7)
    local value = '11' .. generation .. struct.pack('>I4', attempt + 1) .. owner
    redis.call('SET', key, value, 'PX', ARGV[2])
    return { value }
  end
  if state == '15' then
    local tail_end = 11 + string.byte(old, 11)
    if string.sub(old, tail_end + 1, tail_end + 4) ~= '\0\0\0\0' then
      return old
    end
    local attempt = struct.unpack('>I4', old, 7)
    local value = '12' .. generation .. struct.pack('>I4', attempt + 1) .. owner .. string.sub(old, tail_end + 5)
    redis.call('SET', key, value, 'PX', ARGV[2])
    return { value }
  end
  if (state == '11' or state == '12') and string.sub(old, 11, 10 + #owner) == owner then
    return { old }
  end
  return old
end

local answers = { count }
for i = 2, #KEYS do
  local from, tail, deaths = ARGV[i * 3 - 3], ARGV[i * 3 - 2], ARGV[i * 3 - 1]
  local kind = string.sub(from, 1, 1)
  if kind == '' then
    answers[i] = claim_absent(KEYS[i], tail, deaths)
  elseif kind == 'c' then
    answers[i] = go_on(KEYS[i], '11', string.sub(from, 2), tail, deaths)
  elseif kind == 'h' then
    answers[i] = go_on(KEYS[i], '13', string.sub(from, 2), tail, NO_DEATHS)
  else
    answers[i] = redrive(KEYS[i], string.sub(from, 2), tail)
  end
end
return answers
