-- Counts calls of a client, for rate-limiter-flexible, which passes what it needs and reads the reply.
--
-- KEYS[1]  the calls in this window, a number that lives as long as the window
-- ARGV[1]  calls to add; below 0 to take back, of which no more is taken than there is
-- ARGV[2]  the window in seconds
-- ARGV[3]  calls that a window allows; what would be more is not added
--
-- Replies {calls, with the one that was not added, milliseconds until the window ends}.

local calls, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local before = tonumber(redis.call('GET', KEYS[1]) or 0)
if before + calls < 0 or before + calls > tonumber(ARGV[3]) then
  return { math.max(0, before + calls), math.max(0, redis.call('PTTL', KEYS[1])) }
end
redis.call('SET', KEYS[1], 0, 'EX', window, 'NX')
return { redis.call('INCRBY', KEYS[1], calls), redis.call('PTTL', KEYS[1]) }
