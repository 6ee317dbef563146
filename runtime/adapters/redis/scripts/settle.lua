#!lua flags=allow-oom
-- Drops the note of `dead` in an exact generation. Runs when memory is full: it gives memory back.
--
-- KEYS[1]   epoch
-- KEYS[2…]  handlings
-- ARGV[1]   name of the epoch
-- ARGV[2]   time to live of `dead`, ms
-- ARGV[3…]  one per handling: generation (4 bytes)
--
-- Returns 0 when the epoch is not there, else {count of the epoch, answer, …}. An answer is
--   1        accepted
--   value    refused; nil when nothing is stored

local count = redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
if count == 1 then
  redis.call('HDEL', KEYS[1], ARGV[1])
  return 0
end

local function settle(key, generation)
  local old = redis.call('GET', key)
  local state = old and string.sub(old, 1, 2)
  if not old or (state ~= '14' and state ~= '15') or string.sub(old, 3, 6) ~= generation then
    return old
  end
  local tail_end = 11 + string.byte(old, 11)
  local settled = string.sub(old, 1, tail_end)
  if state == '15' then
    local note_bytes = struct.unpack('>I4', old, tail_end + 1)
    settled = settled .. '\0\0\0\0' .. string.sub(old, tail_end + 5 + note_bytes)
  end
  if settled ~= old then
    redis.call('SET', key, settled, 'PX', ARGV[2])
  end
  return 1
end

local answers = { count }
for i = 2, #KEYS do
  answers[i] = settle(KEYS[i], ARGV[i + 1])
end
return answers
