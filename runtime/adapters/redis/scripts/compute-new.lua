#!lua
-- Enters `computed` from nothing. The bytes stored first stay.
--
-- KEYS[1]   epoch
-- ARGV[1]   name of the epoch
-- ARGV[2]   time to live of a computed value, ms
-- ARGV[3]   keys of handlings up to the number of their slot
-- ARGV[4]   the handlings: slot (1 byte), id (16 bytes), length of the value without outputs (4 bytes), length of the value
--           (4 bytes), value to store, with generation 0
--
-- Returns 0 when the epoch is not there, else {count of the epoch, answer, …}; without answers where all were accepted. An answer is
--   1        accepted
--   {value}  accepted before, and this is the value stored then
--   value    refused

local count = redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
if count == 1 then
  redis.call('HDEL', KEYS[1], ARGV[1])
  return 0
end

local packed, at = ARGV[4], 1
local answers, n, all_new = { count }, 1, true
while at <= #packed do
  local slot, id, own, length = struct.unpack('>Bc16I4I4', packed, at)
  local value = string.sub(packed, at + 25, at + 24 + length)
  local old = redis.call('SET', ARGV[3] .. slot .. '}:' .. id, value, 'PX', ARGV[2], 'NX', 'GET')
  n = n + 1
  if not old then
    answers[n] = 1
  else
    all_new = false
    answers[n] = old
    if string.sub(old, 1, 2) == '12' and string.sub(old, 7, own) == string.sub(value, 7, own) then
      answers[n] = { old }
    end
  end
  at = at + 25 + length
end
if all_new then
  return { count }
end
return answers
