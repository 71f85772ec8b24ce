-- Records that a message is about to be handed to a sender. A later run that finds this record knows that the message may have
-- gone out.
--
-- KEYS[1]  the challenge
-- KEYS[2]  the request's own hash
-- ARGV[1]  the name of the sender
-- ARGV[2]  how many sends have begun, as far as this run knows
--
-- Replies the number of this send, from 1; 0 when there is nothing left to send; -1 when another run has begun a send since, or this
-- one has, and its reply was lost.

local record = KEYS[1]
local stamp, sealed, life, sent, failed, sends = unpack(redis.call('HMGET', record,
  REQUEST_STAMP, CODE_SEALED, REQUEST_LIFE, REQUEST_SENT, REQUEST_FAILED, REQUEST_SENDS))
if not sealed then
  return 0
end
local maker = string.sub(stamp, STAMP_MAKER)
if KEYS[2] ~= record .. ':' .. maker then
  local own_stamp
  record = KEYS[2]
  own_stamp, sent, failed, sends = unpack(redis.call('HMGET', record,
    REQUEST_STAMP, REQUEST_SENT, REQUEST_FAILED, REQUEST_SENDS))
  if not own_stamp or string.sub(own_stamp, STAMP_MAKER) ~= maker then
    return 0
  end
end
sends = tonumber(sends or 0)
if sent or failed then
  return 0
end
if sends ~= tonumber(ARGV[2]) then
  return -1
end
if now_ms() >= struct.unpack(TIME_FORMAT, stamp) + tonumber(life) then
  return 0
end
redis.call('HSET', record, REQUEST_SENDS, sends + 1, REQUEST_UNSETTLED, ARGV[1])
return sends + 1
