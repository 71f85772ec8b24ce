-- Takes the right to send now.
--
-- KEYS[1]  the claim of the last send: a request id that lives for the cooldown
-- ARGV[1]  the request id
-- ARGV[2]  the cooldown in milliseconds, at least 1
--
-- Replies 0 when granted, else the milliseconds until the claim in the way dies.

if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', tonumber(ARGV[2])) then
  return 0
end
return math.max(1, redis.call('PTTL', KEYS[1]))
