-- Counts the calls of a client. rate-limiter-flexible loads this script in place of its own, passes the arguments and reads the
-- reply. The prelude is not put before it.
--
-- KEYS[1]  the calls in this window, a number that expires when the window ends
-- ARGV[1]  how many calls to add; below 0 to take calls back, but never more than were counted
-- ARGV[2]  the length of the window in seconds
-- ARGV[3]  how many calls a window allows; a call beyond that is not added
--
-- Replies {the calls, including one that was not added, milliseconds until the window ends}.

local calls, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local before = tonumber(redis.call('GET', KEYS[1]) or 0)
if before + calls < 0 or before + calls > tonumber(ARGV[3]) then
  return { math.max(0, before + calls), math.max(0, redis.call('PTTL', KEYS[1])) }
end
redis.call('SET', KEYS[1], 0, 'EX', window, 'NX')
return { redis.call('INCRBY', KEYS[1], calls), redis.call('PTTL', KEYS[1]) }
