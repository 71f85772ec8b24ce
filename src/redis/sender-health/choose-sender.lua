-- Chooses the sender of the next message: the first one that is healthy and can take the message soon.
--
-- KEYS     the state of each sender, in order of preference
-- ARGV[1]  for how long a probe keeps others from being sent, in milliseconds
-- ARGV[2]  the longest time that a message may be put off, in milliseconds
-- ARGV[3…] for each sender, the milliseconds between two messages at its pace; 0 if it has none
-- Constants of sender-health.ts: MAX_TURN_WAIT_MS, REMEMBERED_MS
--
-- Replies one of:
--   {number of the sender, from 1, milliseconds to wait before sending, 1 if the message is a probe, else 0}
--   {0, milliseconds after which to come back, 0}  all healthy senders have to be waited for; where they have a pace, each caller
--                                                  gets another time
--   {0, -1, 0}                                     no sender is healthy

local now = exact_now_ms()
local nearest

for i, state in ipairs(KEYS) do
  local is_out, probe_from, probe_until, slowed_until, next_turn, next_return, window_from, messages = unpack(redis.call('HMGET', state,
    SENDER_IS_OUT, SENDER_PROBE_FROM, SENDER_PROBE_UNTIL, SENDER_SLOWED_UNTIL, SENDER_NEXT_TURN, SENDER_NEXT_RETURN,
    SENDER_WINDOW_FROM, SENDER_MESSAGES))
  local slowed = math.max(0, tonumber(slowed_until or 0) - now)
  local wait = math.max(slowed, tonumber(next_turn or 0) - now)
  local interval = tonumber(ARGV[2 + i])
  if is_out then
    if wait == 0 and now >= tonumber(probe_from or 0) and now >= tonumber(probe_until or 0) then
      redis.call('PEXPIRE', state, REMEMBERED_MS)
      redis.call('HSET', state, SENDER_PROBE_UNTIL, string.format('%.0f', now + tonumber(ARGV[1])))
      return { i, 0, 1 }
    end
  elseif slowed == 0 and wait <= MAX_TURN_WAIT_MS then
    -- The expiry comes first, so that a missing right to set it leaves no state without one. A state that is new gets it afterwards.
    local is_new = interval > 0 and redis.call('PEXPIRE', state, REMEMBERED_MS) == 0
    local next_turn_at = interval > 0 and string.format('%.3f', now + wait + interval)
    if window_from and next_turn_at then
      redis.call('HSET', state, SENDER_MESSAGES, tonumber(messages or 0) + 1, SENDER_NEXT_TURN, next_turn_at)
    elseif window_from then
      redis.call('HSET', state, SENDER_MESSAGES, tonumber(messages or 0) + 1)
    elseif next_turn_at then
      redis.call('HSET', state, SENDER_NEXT_TURN, next_turn_at)
    end
    if is_new then
      redis.call('PEXPIRE', state, REMEMBERED_MS)
    end
    return { i, math.ceil(wait), 0 }
  elseif not nearest or wait < nearest.wait then
    nearest = { state = state, wait = wait, interval = interval, next_return = tonumber(next_return or 0) - now }
  end
end

if not nearest then
  return { 0, -1, 0 }
end
if nearest.interval == 0 then
  return { 0, math.ceil(nearest.wait), 0 }
end
-- If all callers came back at once, one would find a free turn and all others would be put off again.
local longest = tonumber(ARGV[2])
local back = math.min(math.max(nearest.wait, nearest.next_return), longest)
redis.call('PEXPIRE', nearest.state, math.max(REMEMBERED_MS, math.ceil(nearest.wait)))
redis.call('HSET', nearest.state, SENDER_NEXT_RETURN, string.format('%.3f', now + math.min(back + nearest.interval, longest)))
return { 0, math.ceil(back), 0 }
