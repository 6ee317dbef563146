#!lua flags=no-writes
-- Reads handlings.
--
-- KEYS[1]   epoch
-- ARGV[1]   name of the epoch
-- ARGV[2]   keys of handlings up to the number of their slot
-- ARGV[3]   the handlings, at most 1,000: slot (1 byte), id (16 bytes)
--
-- Returns 0 when the epoch is not there, else {count of the epoch, value or nil, …}; without values where nothing is stored of any.

local count = redis.call('HGET', KEYS[1], ARGV[1])
if not count then
  return 0
end
local packed, keys = ARGV[3], {}
for at = 1, #packed, 17 do
  keys[#keys + 1] = ARGV[2] .. string.byte(packed, at) .. '}:' .. string.sub(packed, at + 1, at + 16)
end
local values = redis.call('MGET', unpack(keys))
for i = 1, #values do
  if values[i] then
    table.insert(values, 1, tonumber(count))
    return values
  end
end
return { tonumber(count) }
