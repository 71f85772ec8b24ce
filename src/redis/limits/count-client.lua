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
local before, left = redis.call('GET', KEYS[1]), redis.call('PTTL', KEYS[1])
local after = tonumber(before or 0) + calls
if after < 0 or after > tonumber(ARGV[3]) then
  return { math.max(0, after), math.max(0, left) }
end
if before then
  redis.call('INCRBY', KEYS[1], calls)
  return { after, left }
end
redis.call('SET', KEYS[1], after, 'EX', window)
return { after, window * 1000 }
