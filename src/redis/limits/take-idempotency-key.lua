-- Begins the request of an idempotency key, unless the key has been used.
--
-- KEYS[1]  what is known of the key, a hash: p  fingerprint of the payload, r  request id, d  1 once it is done,
--          u  under way until this Unix time in milliseconds
-- ARGV[1]  the fingerprint
-- ARGV[2]  the request id
-- Constants of otp/idempotency.ts: UNDER_WAY_MS, UNSETTLED_MS
--
-- Replies {'begun', request id}, with an earlier id where nobody knows how that request ended; {'done', request id},
-- {'under way'} or {'other payload'}.

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local payload, request, done, busy = unpack(redis.call('HMGET', KEYS[1], 'p', 'r', 'd', 'u'))
if payload and payload ~= ARGV[1] then
  return { 'other payload' }
end
if done then
  return { 'done', request }
end
if busy and tonumber(busy) > now then
  return { 'under way' }
end

request = request or ARGV[2]
redis.call('HSET', KEYS[1], 'p', ARGV[1], 'r', request, 'u', now + UNDER_WAY_MS)
if not payload then
  redis.call('PEXPIRE', KEYS[1], UNSETTLED_MS)
end
return { 'begun', request }
