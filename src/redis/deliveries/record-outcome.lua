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
local receipt_field = REQUEST_RECEIPT .. number
local stamp, sealed, life, sent, delivered, failed, sends, unsettled, receipt = unpack(redis.call('HMGET', challenge,
  REQUEST_STAMP, CODE_SEALED, REQUEST_LIFE, REQUEST_SENT, REQUEST_DELIVERED, REQUEST_FAILED, REQUEST_SENDS, REQUEST_UNSETTLED,
  receipt_field))
local maker, own_stamp = stamp and string.sub(stamp, STAMP_MAKER), stamp
if not maker or KEYS[2] ~= challenge .. ':' .. maker then
  record = KEYS[2]
  own_stamp, sent, delivered, failed, sends, unsettled, receipt = unpack(redis.call('HMGET', record,
    REQUEST_STAMP, REQUEST_SENT, REQUEST_DELIVERED, REQUEST_FAILED, REQUEST_SENDS, REQUEST_UNSETTLED, receipt_field))
end
if not own_stamp or (is_receipt and receipt) then
  return 0
end
local is_last = tonumber(sends or 0) == tonumber(number)
local now = now_ms()
local is_live = sealed and string.sub(own_stamp, STAMP_MAKER) == maker and now < struct.unpack(TIME_FORMAT, stamp) + tonumber(life)
local at = now - struct.unpack(TIME_FORMAT, own_stamp)

local fields = {}
if is_live and not delivered and not failed then
  if outcome == 'sent' and not sent then
    fields = { REQUEST_SENT, at }
  elseif outcome == 'delivered' then
    fields = { REQUEST_SENT, sent or at, REQUEST_DELIVERED, at }
  elseif outcome == 'failed' and is_last and (sent or unsettled) then
    fields = { REQUEST_FAILED, at, REQUEST_FAILURE, ARGV[3] }
  end
end
local is_change = #fields > 0
if is_receipt then
  fields[#fields + 1] = receipt_field
  fields[#fields + 1] = string.sub(outcome, 1, 1)
end
-- Once the code is no longer live, its watchers have been told how the delivery ended. A message that was sent after all stays in doubt.
local is_settled = is_last and unsettled and (is_live or outcome == 'failed' or outcome == 'put off')

if is_settled then
  may_hdel(record)
end
if #fields > 0 then
  redis.call('HSET', record, unpack(fields))
end
if is_settled then
  redis.call('HDEL', record, REQUEST_UNSETTLED)
end
if is_change then
  publish(challenge)
end
return 1
