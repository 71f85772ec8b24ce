-- Chooses who sends the next message: the first that is well and has not to be waited for.
--
-- KEYS     the state of each sender in order of preference, a hash:
--            w  when the window began, with the first failure; c  failures in it, m  messages given in it
--            o  1 once it has failed too often: it gets no messages but probes; u  when the next probe may go, p  until when one is
--               under way
--            s  when it takes messages again, having said that they come too fast; g  when the next may go at the pace set for it,
--               k  when the next of those that were put off because of that is to come back
-- ARGV[1]  how long a probe keeps others from being made, in milliseconds
-- ARGV[2]  the longest time that a message may be put off for, in milliseconds
-- ARGV[3…] the pace of each sender: milliseconds between two messages, 0 for none
-- Constants of sender-health.ts: PATIENCE_MS, REMEMBERED_MS
-- All times are Unix times in milliseconds.
--
-- Replies {number of the sender, from 1, milliseconds to wait, 1 for a probe else 0}; {0, milliseconds to come back after, 0} when
-- those that are well have to be waited for, each caller at another time where there is a pace; {0, -1, 0} when none is well.

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + tonumber(time[2]) / 1000
local nearest

for i, state in ipairs(KEYS) do
  local is_open, probe_from, probed, slowed, turn, tail, window =
    unpack(redis.call('HMGET', state, 'o', 'u', 'p', 's', 'g', 'k', 'w'))
  local slow = math.max(0, tonumber(slowed or 0) - now)
  local wait = math.max(slow, tonumber(turn or 0) - now)
  local pace = tonumber(ARGV[2 + i])
  if is_open then
    if wait == 0 and now >= tonumber(probe_from or 0) and now >= tonumber(probed or 0) then
      redis.call('HSET', state, 'p', string.format('%.0f', now + tonumber(ARGV[1])))
      redis.call('PEXPIRE', state, REMEMBERED_MS)
      return { i, 0, 1 }
    end
  elseif slow == 0 and wait <= PATIENCE_MS then
    if window then
      redis.call('HINCRBY', state, 'm', 1)
    end
    if pace > 0 then
      redis.call('HSET', state, 'g', string.format('%.3f', now + wait + pace))
      redis.call('PEXPIRE', state, REMEMBERED_MS)
    end
    return { i, math.ceil(wait), 0 }
  elseif not nearest or wait < nearest.wait then
    nearest = { state = state, wait = wait, pace = pace, tail = tonumber(tail or 0) - now }
  end
end

if not nearest then
  return { 0, -1, 0 }
end
if nearest.pace == 0 then
  return { 0, math.ceil(nearest.wait), 0 }
end
-- All at once they would find one turn free, and be put off again.
local longest = tonumber(ARGV[2])
local back = math.min(math.max(nearest.wait, nearest.tail), longest)
redis.call('HSET', nearest.state, 'k', string.format('%.3f', now + math.min(back + nearest.pace, longest)))
redis.call('PEXPIRE', nearest.state, math.max(REMEMBERED_MS, math.ceil(nearest.wait)))
return { 0, math.ceil(back), 0 }
