#!lua
-- Puts states back where nothing later stands.
--
-- KEYS[1]   epoch
-- KEYS[2…]  handlings
-- ARGV[1]   name of the epoch
-- ARGV[2…]  two per handling:
--   value   to store
--   ttl     ms
--
-- Returns 0 when the epoch is not there, else {count of the epoch, value now stored, …}

local count = redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
if count == 1 then
  redis.call('HDEL', KEYS[1], ARGV[1])
  return 0
end

-- Which of two states is the later one: done, then computed, then by generation; in one generation dead is first, then by attempt
-- nobody's claim, an owner's claim, handed over.
local function rank(value)
  local state = string.sub(value, 2, 2)
  if state == '0' then
    return 2e17
  elseif state == '2' then
    return 1e17
  end
  local generation = struct.unpack('>I4', '\0' .. string.sub(value, 4, 6)) * 1e11
  if state == '4' or state == '5' then
    return generation
  elseif state == '3' then
    return generation + struct.unpack('>I4', value, 8) * 4 + 3
  end
  local owned = string.byte(value, 11) > 0
  return generation + struct.unpack('>I4', value, 7) * 4 + (owned and 2 or 1)
end

local answers = { count }
for i = 2, #KEYS do
  local value, ttl = ARGV[i * 2 - 2], ARGV[i * 2 - 1]
  local old = redis.call('GET', KEYS[i])
  if old and rank(old) >= rank(value) then
    answers[i] = old
  else
    redis.call('SET', KEYS[i], value, 'PX', ttl)
    answers[i] = value
  end
end
return answers
