#!lua flags=allow-oom
-- Enters `done` from `computed` and drops the bodies; for handlings that have neither a join nor a journal.
-- Runs when memory is full: it gives memory back.
--
-- KEYS[1]   epoch
-- ARGV[1]   name of the epoch
-- ARGV[2]   time to live of `done`, ms
-- ARGV[3]   keys of handlings up to the number of their slot
-- ARGV[4]   the handlings: slot (1 byte), id (16 bytes)
--
-- Returns 0 when the epoch is not there, else {count of the epoch, answer, …}; without answers where all were accepted. An answer is
--   1        accepted
--   value    refused; nil when nothing is stored

local count = redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
if count == 1 then
  redis.call('HDEL', KEYS[1], ARGV[1])
  return 0
end

local packed, answers, n, all_done = ARGV[4], { count }, 1, true
for at = 1, #packed, 17 do
  local key = ARGV[3] .. string.byte(packed, at) .. '}:' .. string.sub(packed, at + 1, at + 16)
  local state = redis.call('GETRANGE', key, 0, 1)
  n = n + 1
  answers[n] = 1
  if state == '12' then
    redis.call('SET', key, '10', 'PX', ARGV[2])
  elseif state ~= '10' then
    all_done = false
    answers[n] = redis.call('GET', key)
  end
end
if all_done then
  return { count }
end
return answers
