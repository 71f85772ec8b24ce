-- Reads the progress of a request.
--
-- KEYS[1]  the challenge
-- KEYS[2]  the request's own hash
-- KEYS[3]  the own hash of the maker of this request's code; only after this script has asked for it
--
-- Replies one of:
--   {now}       no worker has taken the request yet
--   {now, processed, life of the code, sent, delivered, failed, why it failed, verified, 1 if its code is live, the maker of the
--    code that is live instead, the sender of the last send, if its result is unknown}
--               null stands for what has not happened or does not exist; now and processed are Unix times, the others are durations
--               from processed on; all in milliseconds
--   request id  the caller has to call again, with the key of this request as KEYS[3]
local now = now_ms()

local challenge, own, makers = KEYS[1], KEYS[2], KEYS[3]

local stamp, sealed, life, sent, delivered, failed, failure, verified, unsettled = unpack(redis.call('HMGET', challenge,
  REQUEST_STAMP, CODE_SEALED, REQUEST_LIFE, REQUEST_SENT, REQUEST_DELIVERED, REQUEST_FAILED, REQUEST_FAILURE, REQUEST_VERIFIED,
  REQUEST_UNSETTLED))
local maker = stamp and string.sub(stamp, STAMP_MAKER)
local live = sealed and now < struct.unpack(TIME_FORMAT, stamp) + tonumber(life) and maker
local own_stamp, own_maker = stamp, maker
if not maker or own ~= challenge .. ':' .. maker then
  local own_verified
  own_stamp, life, sent, delivered, failed, failure, own_verified, unsettled = unpack(redis.call('HMGET', own,
    REQUEST_STAMP, REQUEST_LIFE, REQUEST_SENT, REQUEST_DELIVERED, REQUEST_FAILED, REQUEST_FAILURE, REQUEST_VERIFIED,
    REQUEST_UNSETTLED))
  if not own_stamp then
    return { now }
  end
  own_maker = string.sub(own_stamp, STAMP_MAKER)
  local key = challenge .. ':' .. own_maker
  if own == key then
    stamp, verified = own_stamp, own_verified
  elseif own_maker ~= maker then
    if makers ~= key then
      return own_maker
    end
    stamp, verified = unpack(redis.call('HMGET', makers, REQUEST_STAMP, REQUEST_VERIFIED))
  end
end
local processed = struct.unpack(TIME_FORMAT, own_stamp)
verified = verified and struct.unpack(TIME_FORMAT, stamp) + tonumber(verified) - processed
local is_live = live == own_maker
return { now, processed, life, sent, delivered, failed, failure, verified, is_live and 1, not is_live and live, unsettled }
