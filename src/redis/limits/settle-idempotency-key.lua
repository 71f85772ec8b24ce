-- Settles the request of an idempotency key, unless another request has taken the key since.
--
-- KEYS[1]  what is known of the key (see take-idempotency-key.lua)
-- ARGV[1]  the request id
-- ARGV[2]  'remember' that it is done, 'forget' it, or 'put down': it may have been done, and can be taken up again
-- Constant of otp/idempotency.ts: REMEMBERED_MS
--
-- Replies 1 when it was settled, else 0.

local key, request, how = KEYS[1], ARGV[1], ARGV[2]
if redis.call('HGET', key, 'r') ~= request then
  return 0
end
if how == 'forget' then
  return redis.call('DEL', key)
end
if how == 'remember' then
  redis.call('HSET', key, 'd', 1)
  return redis.call('PEXPIRE', key, REMEMBERED_MS)
end
return redis.call('HDEL', key, 'u')
