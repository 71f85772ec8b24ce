-- Records the outcome of a send, unless the delivery has ended.
--
-- KEYS[1]  the challenge
-- KEYS[2]  the request's own hash
-- ARGV[1]  the number of the send
-- ARGV[2]  'sent', 'delivered', 'failed', or 'put off' for a message that did not go out and will be tried again
-- ARGV[3]  why the send failed; absent or empty if it did not
-- ARGV[4]  present if this comes from a provider's receipt
--
-- A message that is delivered before it is recorded as sent counts as sent too, because a receipt may arrive before the worker's
-- report. A failure counts only for the last send, and not while another send is to follow.
--
-- Replies 1; 0 when the request is unknown, or when the send already has a receipt.

local challenge, record = KEYS[1], KEYS[1]
local number, outcome, is_receipt = ARGV[1], ARGV[2], ARGV[4]
local stamp, sealed, life, sent, delivered, failed, sends, unsettled = unpack(redis.call('HMGET', challenge,
  REQUEST_STAMP, CODE_SEALED, REQUEST_LIFE, REQUEST_SENT, REQUEST_DELIVERED, REQUEST_FAILED, REQUEST_SENDS, REQUEST_UNSETTLED))
local maker, own_stamp = stamp and string.sub(stamp, STAMP_MAKER), stamp
if not maker or KEYS[2] ~= challenge .. ':' .. maker then
  record = KEYS[2]
  own_stamp, sent, delivered, failed, sends, unsettled = unpack(redis.call('HMGET', record,
    REQUEST_STAMP, REQUEST_SENT, REQUEST_DELIVERED, REQUEST_FAILED, REQUEST_SENDS, REQUEST_UNSETTLED))
end
if not own_stamp then
  return 0
end
if is_receipt and redis.call('HSETNX', record, REQUEST_RECEIPT .. number, string.sub(outcome, 1, 1)) == 0 then
  return 0
end
local is_last = tonumber(sends or 0) == tonumber(number)
local now = now_ms()
local is_live = sealed and string.sub(own_stamp, STAMP_MAKER) == maker and now < struct.unpack(TIME_FORMAT, stamp) + tonumber(life)
-- Once the code is no longer live, its watchers have been told how the delivery ended. A message that was sent after all stays in doubt.
if is_last and unsettled and (is_live or outcome == 'failed' or outcome == 'put off') then
  redis.call('HDEL', record, REQUEST_UNSETTLED)
end
if delivered or failed or not is_live then
  return 1
end
local at = now - struct.unpack(TIME_FORMAT, own_stamp)
if outcome == 'sent' and not sent then
  redis.call('HSET', record, REQUEST_SENT, at)
elseif outcome == 'delivered' then
  redis.call('HSET', record, REQUEST_SENT, sent or at, REQUEST_DELIVERED, at)
elseif outcome == 'failed' and is_last and (sent or unsettled) then
  redis.call('HSET', record, REQUEST_FAILED, at, REQUEST_FAILURE, ARGV[3])
else
  return 1
end
redis.call('PUBLISH', CHANGES, challenge)
return 1
