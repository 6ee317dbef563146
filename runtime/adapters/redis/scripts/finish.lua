#!lua flags=allow-oom
-- Enters `done` from `computed` and drops the bodies, also those of the join that the handling was about, and its journal.
-- Runs when memory is full: it gives memory back.
--
-- KEYS[1]   epoch
-- KEYS[2…]  handlings; the one of a join is followed by the key of the join, one with a journal by the key of the journal
-- ARGV[1]   name of the epoch
-- ARGV[2]   time to live of `done`, ms
-- ARGV[3]   one letter for each of KEYS[2…]: h handling, j join of the handling before it, s its journal
--
-- Returns 0 when the epoch is not there, else {count of the epoch, answer, …} with one answer per handling:
--   1        accepted
--   value    refused; nil when nothing is stored

local count = redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
if count == 1 then
  redis.call('HDEL', KEYS[1], ARGV[1])
  return 0
end

local function finish(key)
  local state = redis.call('GETRANGE', key, 0, 1)
  if state == '12' then
    redis.call('SET', key, '10', 'PX', ARGV[2])
    return 1
  end
  if state == '10' then
    return 1
  end
  return redis.call('GET', key)
end

local function drop_bodies(key)
  local fields = redis.call('HGETALL', key)
  for i = 1, #fields, 2 do
    if string.sub(fields[i + 1], 1, 2) == '1m' then
      redis.call('HSET', key, fields[i], '1d' .. string.sub(fields[i + 1], 3, 18))
      redis.call('PEXPIRE', key, ARGV[2])
    end
  end
end

local answers, n = { count }, 1
for i = 2, #KEYS do
  local letter = string.sub(ARGV[3], i - 1, i - 1)
  if letter == 'h' then
    n = n + 1
    answers[n] = finish(KEYS[i])
  elseif answers[n] == 1 then
    if letter == 'j' then
      drop_bodies(KEYS[i])
    else
      redis.call('DEL', KEYS[i])
    end
  end
end
return answers
