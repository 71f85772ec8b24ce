-- Writes down what became of a send, unless the delivery is over.
--
-- KEYS[1]  the code (see store-code.lua)
-- KEYS[2]  the request (see store-code.lua)
-- ARGV[1]  the challenge id, of which to tell those who watch
-- ARGV[2]  the number of the send
-- ARGV[3]  'sent', 'delivered', 'failed', or 'put off': it did not go out, and is tried again
-- ARGV[4]  why it failed
--
-- A delivery that is told of before the sending is: a receipt may be faster than we are. A failure counts of the last send alone,
-- since an earlier one has been made up for.
--
-- Replies 1 when it was news, else 0.

local code, record, challenge = KEYS[1], KEYS[2], ARGV[1]
local number, what, why = tonumber(ARGV[2]), ARGV[3], ARGV[4]
local time = redis.call('TIME')
local now = string.format('%.0f', tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000))

local maker, sent, delivered, failed, last = unpack(redis.call('HMGET', record, 'm', 's', 'd', 'f', 'n'))
local is_last = tonumber(last or 0) == number
if not maker then
  return 0
end
if is_last then
  redis.call('HDEL', record, 'a')
end
if delivered or failed or redis.call('HGET', code, 'm') ~= maker then
  return 0
end

if what == 'sent' then
  if sent then
    return 0
  end
  redis.call('HSET', record, 's', now)
elseif what == 'delivered' then
  redis.call('HSET', record, 's', sent or now, 'd', now)
elseif what == 'failed' and is_last then
  redis.call('HSET', record, 'f', now, 'w', why)
else
  return 0
end
redis.call('PUBLISH', 'otp:changes', challenge)
return 1
