-- Settles the request of an idempotency key, unless another request has taken the key since.
--
-- KEYS[1]  what is known of the key (see begin-request.lua)
-- ARGV[1]  the request id
-- ARGV[2]  how long to remember that it is done, in milliseconds; 0 to forget it
--
-- Replies 1 when it was settled, else 0.

if redis.call('HGET', KEYS[1], 'r') ~= ARGV[1] then
  return 0
end
local life = tonumber(ARGV[2])
if life == 0 then
  return redis.call('DEL', KEYS[1])
end
redis.call('HSET', KEYS[1], 'd', 1)
return redis.call('PEXPIRE', KEYS[1], life)
