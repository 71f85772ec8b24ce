-- Marks that a message is about to be handed to a sender: who finds the mark knows that it may have gone out.
--
-- KEYS[1]  the challenge (see store-code.lua)
-- KEYS[2]  the request, if it is not the one that made the code (see store-code.lua)
-- ARGV[1]  the sender's name
-- ARGV[2]  how many sends have begun, as far as this run knows
--
-- Replies the number of this send, from 1, or 0 when there is nothing to send any more, or another run has taken over.

local record = KEYS[1]
local made, sealed, dies, sent, failed, begun = unpack(redis.call('HMGET', record, 'm', 'c', 'x', 's', 'f', 'n'))
if not sealed then
  return 0
end
local maker = string.sub(made, 7)
if KEYS[2] ~= record .. ':' .. maker then
  local taken
  record = KEYS[2]
  taken, sent, failed, begun = unpack(redis.call('HMGET', record, 'm', 's', 'f', 'n'))
  if not taken or string.sub(taken, 7) ~= maker then
    return 0
  end
end
begun = tonumber(begun or 0)
if sent or failed or begun ~= tonumber(ARGV[2]) then
  return 0
end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
if now >= struct.unpack('>I6', made) + tonumber(dies) then
  return 0
end
redis.call('HSET', record, 'n', begun + 1, 'a', ARGV[1])
return begun + 1
