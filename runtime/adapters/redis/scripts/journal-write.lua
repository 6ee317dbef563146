#!lua
-- Writes into journals, each under an exact claim of its handling.
--
-- KEYS[1]   epoch
-- KEYS[2…]  two per request: the handling, its journal (a hash with one field per name)
-- ARGV[1]   name of the epoch
-- ARGV[2]   time to live of a journal, ms; begins anew with each value
-- ARGV[3…]  three per request:
--   from    tail of the claim
--   name    field of the value
--   value   to store
--
-- Returns 0 when the epoch is not there, else {count of the epoch, answer, …}. An answer is
--   1        accepted; {value} where the claim has cost deaths
--   value    refused: the state of the handling; nil when nothing is stored

local count = redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
if count == 1 then
  redis.call('HDEL', KEYS[1], ARGV[1])
  return 0
end

local answers = { count }
for n = 1, (#KEYS - 1) / 2 do
  local handling, journal = KEYS[n * 2], KEYS[n * 2 + 1]
  local at = n * 3
  local old = redis.call('GET', handling)
  if old and string.sub(old, 1, 2) == '11' and string.sub(old, 7) == ARGV[at] then
    redis.call('HSET', journal, ARGV[at + 1], ARGV[at + 2])
    redis.call('PEXPIRE', journal, ARGV[2])
    answers[n + 1] = string.byte(old, 3) == 0 and 1 or { old }
  else
    answers[n + 1] = old
  end
end
return answers
