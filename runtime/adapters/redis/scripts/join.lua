#!lua
-- Records join members: the first event of a topic wins, a later one never overwrites.
--
-- KEYS[1]   epoch
-- KEYS[2…]  joins: hashes with one field per topic
-- ARGV[1]   name of the epoch
-- ARGV[2]   time to live of a join, ms; begins anew with each recorded member
-- ARGV[3]   n, the number of topics that the join waits for
-- ARGV[4…]  n topics, then two per join:
--   topic   of the member
--   value   of the member
--
-- Returns 0 when the epoch is not there, else {count of the epoch, answer, …}. An answer is {result, progress, …}:
--   result    1 recorded · 2 already recorded · 3 late · 0 followed by a value in another format
--   progress  0 followed by the topics that have a member · 1 complete, followed by one value per topic · 2 done, bodies dropped

local count = redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
if count == 1 then
  redis.call('HDEL', KEYS[1], ARGV[1])
  return 0
end

local topics = {}
for i = 1, tonumber(ARGV[3]) do
  topics[i] = ARGV[3 + i]
end

local function record(key, topic, value)
  if redis.call('HSETNX', key, topic, value) == 1 then
    redis.call('PEXPIRE', key, ARGV[2])
    return 1
  end
  local first = redis.call('HGET', key, topic)
  if string.sub(first, 1, 1) ~= '1' then
    return 0, first
  end
  return string.sub(first, 3, 18) == string.sub(value, 3, 18) and 2 or 3
end

local function progress_of(key)
  if redis.call('HLEN', key) < #topics then
    return 0, redis.call('HKEYS', key)
  end
  local values = redis.call('HMGET', key, unpack(topics))
  local progress = 1
  for i = 1, #topics do
    if not values[i] then
      return 0, redis.call('HKEYS', key)
    end
    if string.sub(values[i], 1, 2) == '1d' then
      progress = 2
    end
  end
  return progress, progress == 1 and values or {}
end

local answers = { count }
for i = 2, #KEYS do
  local at = 3 + #topics + (i - 2) * 2
  local result, foreign = record(KEYS[i], ARGV[at + 1], ARGV[at + 2])
  if result == 0 then
    answers[i] = { 0, foreign }
  else
    local progress, parts = progress_of(KEYS[i])
    answers[i] = { result, progress, unpack(parts) }
  end
end
return answers
