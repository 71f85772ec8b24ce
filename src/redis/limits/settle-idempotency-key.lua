-- Records how the request of an idempotency key ended, unless another request has taken the key since.
--
-- KEYS[1]  the idempotency key
-- ARGV[1]  the request id
-- ARGV[2]  'remember' if the request was carried out, 'forget' if it was not, or 'put down' if that is unknown, so that the request
--          can be taken up again
-- Constant of otp/caller/idempotency.ts: REMEMBERED_MS
--
-- Replies 1 if this was recorded, else 0.

local key, request, how = KEYS[1], ARGV[1], ARGV[2]
if redis.call('HGET', key, IDEMPOTENCY_REQUEST) ~= request then
  return 0
end
if how == 'forget' then
  return redis.call('DEL', key)
end
if how == 'remember' then
  redis.call('PEXPIRE', key, REMEMBERED_MS)
  redis.call('HSET', key, IDEMPOTENCY_DONE, 1)
  return 1
end
return redis.call('HDEL', key, IDEMPOTENCY_BUSY_UNTIL)
