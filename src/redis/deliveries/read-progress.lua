-- Reads how far a request has come.
--
-- KEYS[1]  the challenge (see store-code.lua)
-- KEYS[2]  the request, if it is not the one that made the code (see store-code.lua)
-- KEYS[3]  the request that made the code of this one, if this script has asked for it
--
-- Replies {now}, and once a worker has it {now, processed, code dies, sent, delivered, failed, why, verified, 1 if its code is live,
-- the request that made the code that is live instead}, with a null for what has not happened or is not. Now and processed are Unix
-- times, all else comes after processed, in milliseconds. Or replies a request id: it has to be called again with the key of that
-- request as KEYS[3].

local challenge, own, third = KEYS[1], KEYS[2], KEYS[3]
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local made, sealed, dies, sent, delivered, failed, why, verified =
  unpack(redis.call('HMGET', challenge, 'm', 'c', 'x', 's', 'e', 'f', 'w', 'v'))
local maker = made and string.sub(made, 7)
local live = sealed and now < struct.unpack('>I6', made) + tonumber(dies) and maker
local taken, its_maker = made, maker
if not maker or own ~= challenge .. ':' .. maker then
  local own_verified
  taken, dies, sent, delivered, failed, why, own_verified =
    unpack(redis.call('HMGET', own, 'm', 'x', 's', 'e', 'f', 'w', 'v'))
  if not taken then
    return { now }
  end
  its_maker = string.sub(taken, 7)
  local key = challenge .. ':' .. its_maker
  if own == key then
    made, verified = taken, own_verified
  elseif its_maker ~= maker then
    if third ~= key then
      return its_maker
    end
    made, verified = unpack(redis.call('HMGET', third, 'm', 'v'))
  end
end
local processed = struct.unpack('>I6', taken)
verified = verified and struct.unpack('>I6', made) + tonumber(verified) - processed
local is_live = live == its_maker
return { now, processed, dies, sent, delivered, failed, why, verified, is_live and 1, not is_live and live }
