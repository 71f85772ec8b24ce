-- Takes an idempotency key for a request, unless the key has been used.
--
-- KEYS[1]  the idempotency key
-- ARGV[1]  the digest of the payload
-- ARGV[2]  the request id
-- Constants of otp/caller/idempotency.ts: UNDER_WAY_MS, UNSETTLED_MS
--
-- Replies one of:
--   {'begun', request id}  the key is taken; the id is that of an earlier request if it is unknown how that one ended
--   {'done', request id}   this request has been carried out
--   {'under way'}          a server is at work on the request
--   {'other payload'}      the key was used with another payload

local now = now_ms()
local payload, request, done, busy_until = unpack(redis.call('HMGET', KEYS[1],
  IDEMPOTENCY_PAYLOAD, IDEMPOTENCY_REQUEST, IDEMPOTENCY_DONE, IDEMPOTENCY_BUSY_UNTIL))
if payload and payload ~= ARGV[1] then
  return { 'other payload' }
end
if done then
  return { 'done', request }
end
if busy_until and tonumber(busy_until) > now then
  return { 'under way' }
end

request = request or ARGV[2]
write_or_undo(function()
  redis.call('HSET', KEYS[1], IDEMPOTENCY_PAYLOAD, ARGV[1], IDEMPOTENCY_REQUEST, request,
    IDEMPOTENCY_BUSY_UNTIL, now + UNDER_WAY_MS)
  if not payload then
    redis.call('PEXPIRE', KEYS[1], UNSETTLED_MS)
  end
end, function()
  if not payload then
    redis.pcall('DEL', KEYS[1])
  end
end)
return { 'begun', request }
