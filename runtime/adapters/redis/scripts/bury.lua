#!lua flags=allow-oom
-- Enters `dead` with the next generation and a note, from nothing, from an exact claim, or from an exact computed value, whose position
-- and outputs are kept behind the note. Runs when memory is full: it ends work.
--
-- KEYS[1]   epoch
-- KEYS[2…]  handlings
-- ARGV[1]   name of the epoch
-- ARGV[2]   time to live of `dead`, ms
-- ARGV[3…]  two per handling:
--   from    '' nothing stored · 'c' + tail of the claim · 'p' + attempt and owner of the computed value
--   note    what is kept until the dead letter is settled
--
-- Returns 0 when the epoch is not there, else {count of the epoch, answer, …}. An answer is
--   {value}  accepted, and this is the value now stored
--   value    refused; nil when nothing is stored

local count = redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
if count == 1 then
  redis.call('HDEL', KEYS[1], ARGV[1])
  return 0
end

-- Attempt 0 of nobody: what never was claimed.
local NO_CLAIM = '\0\0\0\0\0'

local function next_generation(old)
  return struct.pack('>I4', struct.unpack('>I4', '\0' .. string.sub(old, 4, 6)) + 1)
end

local function bury_computed(key, from, note)
  local old = redis.call('GET', key)
  if not old or string.sub(old, 7, 6 + #from) ~= from then
    return old
  end
  local state = string.sub(old, 1, 2)
  if state == '12' then
    local kept = string.sub(old, 7 + #from)
    local value = '15' .. next_generation(old) .. from .. struct.pack('>I4', #note) .. note .. kept
    redis.call('SET', key, value, 'PX', ARGV[2])
    return { value }
  end
  return state == '15' and { old } or old
end

local function bury(key, from, note)
  local old, generation
  if from == '' then
    from = NO_CLAIM
    generation = struct.pack('>I4', 1)
    local value = '14' .. generation .. from .. note
    old = redis.call('SET', key, value, 'PX', ARGV[2], 'NX', 'GET')
    if not old then
      return { value }
    end
  else
    old = redis.call('GET', key)
    if old and string.sub(old, 1, 2) == '11' and string.sub(old, 7) == from then
      local value = '14' .. next_generation(old) .. from .. note
      redis.call('SET', key, value, 'PX', ARGV[2])
      return { value }
    end
  end
  if old and string.sub(old, 1, 2) == '14' and string.sub(old, 7, 6 + #from) == from then
    return { old }
  end
  return old
end

local answers = { count }
for i = 2, #KEYS do
  local from, note = ARGV[i * 2 - 1], ARGV[i * 2]
  if string.sub(from, 1, 1) == 'p' then
    answers[i] = bury_computed(KEYS[i], string.sub(from, 2), note)
  else
    answers[i] = bury(KEYS[i], string.sub(from, 2), note)
  end
end
return answers
