-- Begins the request of an idempotency key, unless the key has been used.
--
-- KEYS[1]  what is known of the key, a hash: p  fingerprint of the payload, r  request id, d  1 once it is done
-- ARGV[1]  the fingerprint
-- ARGV[2]  the request id
-- ARGV[3]  how long the request may be under way, in milliseconds
--
-- Replies {'begun'}, {'done', request id}, {'under way'} or {'other payload'}.

local payload, request, done = unpack(redis.call('HMGET', KEYS[1], 'p', 'r', 'd'))
if not payload then
  redis.call('HSET', KEYS[1], 'p', ARGV[1], 'r', ARGV[2])
  redis.call('PEXPIRE', KEYS[1], tonumber(ARGV[3]))
  return { 'begun' }
end
if payload ~= ARGV[1] then
  return { 'other payload' }
end
if done then
  return { 'done', request }
end
return { 'under way' }
