-- Writes down what became of a send, unless the delivery is over.
--
-- KEYS[1]  the code (see store-code.lua)
-- KEYS[2]  the request (see store-code.lua)
-- ARGV[1]  the challenge id, of which to tell those who watch
-- ARGV[2]  the number of the send
-- ARGV[3]  'sent', 'delivered', 'failed', or 'put off': it did not go out, and is tried again
-- ARGV[4]  why it failed
-- ARGV[5]  1 when a provider's receipt says so, else 0
--
-- A delivery that is told of before the sending is: a receipt may be faster than we are. A failure counts of the last send alone,
-- and not while that is to be made up for by another.
--
-- Replies 1; 0 when nothing is known of the request, or for a receipt after the first of its send.

local code, record, challenge = KEYS[1], KEYS[2], ARGV[1]
local number, what, why = tonumber(ARGV[2]), ARGV[3], ARGV[4]
local time = redis.call('TIME')
local now = string.format('%.0f', tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000))

local maker, sent, delivered, failed, last, mark = unpack(redis.call('HMGET', record, 'm', 's', 'd', 'f', 'n', 'a'))
local is_last = tonumber(last or 0) == number
if not maker then
  return 0
end
if ARGV[5] == '1' and redis.call('HSETNX', record, 'r' .. ARGV[2], what) == 0 then
  return 0
end
if is_last then
  redis.call('HDEL', record, 'a')
end
if delivered or failed or redis.call('HGET', code, 'm') ~= maker then
  return 1
end

if what == 'sent' and not sent then
  redis.call('HSET', record, 's', now)
elseif what == 'delivered' then
  redis.call('HSET', record, 's', sent or now, 'd', now)
elseif what == 'failed' and is_last and (sent or mark) then
  redis.call('HSET', record, 'f', now, 'w', why)
else
  return 1
end
redis.call('PUBLISH', 'otp:changes', challenge)
return 1
