-- Writes down what became of a send, unless the delivery is over.
--
-- KEYS[1]  the challenge (see store-code.lua)
-- KEYS[2]  the request, if it is not the one that made the code (see store-code.lua)
-- ARGV[1]  the number of the send
-- ARGV[2]  'sent', 'delivered', 'failed', or 'put off': it did not go out, and is tried again
-- ARGV[3]  why it failed; absent or empty if it did not
-- ARGV[4]  present when a provider's receipt says so
--
-- A delivery that is told of before the sending is: a receipt may be faster than we are. A failure counts of the last send alone,
-- and not while that is to be made up for by another.
--
-- Replies 1; 0 when nothing is known of the request, or for a receipt after the first of its send.

local challenge, record = KEYS[1], KEYS[1]
local number, what, is_receipt = ARGV[1], ARGV[2], ARGV[4]
local made, sealed, dies, sent, delivered, failed, last, mark =
  unpack(redis.call('HMGET', challenge, 'm', 'c', 'x', 's', 'e', 'f', 'n', 'a'))
local maker, taken = made and string.sub(made, 7), made
if not maker or KEYS[2] ~= challenge .. ':' .. maker then
  record = KEYS[2]
  taken, sent, delivered, failed, last, mark = unpack(redis.call('HMGET', record, 'm', 's', 'e', 'f', 'n', 'a'))
end
if not taken then
  return 0
end
if is_receipt and redis.call('HSETNX', record, 'r' .. number, string.sub(what, 1, 1)) == 0 then
  return 0
end
local is_last = tonumber(last or 0) == tonumber(number)
if is_last and mark then
  redis.call('HDEL', record, 'a')
end

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local is_live = sealed and string.sub(taken, 7) == maker and now < struct.unpack('>I6', made) + tonumber(dies)
if delivered or failed or not is_live then
  return 1
end
local at = now - struct.unpack('>I6', taken)
if what == 'sent' and not sent then
  redis.call('HSET', record, 's', at)
elseif what == 'delivered' then
  redis.call('HSET', record, 's', sent or at, 'e', at)
elseif what == 'failed' and is_last and (sent or mark) then
  redis.call('HSET', record, 'f', at, 'w', ARGV[3])
else
  return 1
end
redis.call('PUBLISH', 'otp:changes', challenge)
return 1
