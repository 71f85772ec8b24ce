-- Records how a sender handled a message.
--
-- KEYS[1]  the state of the sender
-- ARGV[1]  'well': it did its part; 'failed': it did not; 'broken': it accepts no message at all; 'too fast': it accepts no more
--          messages for now; 'unused': it was not given the message after all; 'renewed': its settings may have changed
-- ARGV[2]  1 if the message was a probe, else 0
-- ARGV[3]  with 'too fast': for how many milliseconds
-- Constants of sender-health.ts: FAILURES, PART, WINDOW_MS, PAUSE_MS, BROKEN_PAUSE_MS, LONGEST_PAUSE_MS, REMEMBERED_MS
--
-- Replies 'opened' when the sender gets only probes from now on, 'closed' when it gets all messages again, else ''.

local state, how, is_probe = KEYS[1], ARGV[1], ARGV[2] == '1'
local now = now_ms()
local at = function(ms) return string.format('%.0f', now + ms) end
local is_out = redis.call('HEXISTS', state, SENDER_IS_OUT) == 1
local change = ''

-- A sender that merely fails is probed often, to be used again soon. One that refuses everything, for example the login, needs an
-- operator, and may lock the account if it is asked too often.
local function pause()
  if how ~= 'broken' then
    redis.call('HDEL', state, SENDER_REFUSALS)
    return PAUSE_MS
  end
  local refusals = redis.call('HINCRBY', state, SENDER_REFUSALS, 1)
  return math.min(BROKEN_PAUSE_MS * 2 ^ (refusals - 1), LONGEST_PAUSE_MS)
end

if how == 'too fast' then
  local slowed_until = math.max(now + tonumber(ARGV[3]), tonumber(redis.call('HGET', state, SENDER_SLOWED_UNTIL) or 0))
  redis.call('HSET', state, SENDER_SLOWED_UNTIL, string.format('%.0f', slowed_until))
end

if how == 'well' or how == 'too fast' then
  -- The sender answered. If it is out, only the answer to a probe counts: other messages were sent before it failed. Its failures
  -- stay counted until their window ends, because a provider that accepts messages but does not deliver them answers too.
  if is_out and is_probe then
    redis.call('HDEL', state, SENDER_IS_OUT, SENDER_PROBE_FROM, SENDER_PROBE_UNTIL, SENDER_REFUSALS)
    change = 'closed'
  end
elseif how == 'renewed' then
  redis.call('HDEL', state, SENDER_PROBE_FROM, SENDER_PROBE_UNTIL, SENDER_REFUSALS)
elseif how == 'unused' then
  if is_probe then
    redis.call('HDEL', state, SENDER_PROBE_UNTIL)
  end
elseif is_out then
  if is_probe then
    redis.call('HDEL', state, SENDER_PROBE_UNTIL)
    redis.call('HSET', state, SENDER_PROBE_FROM, at(pause()))
  end
else
  if now >= tonumber(redis.call('HGET', state, SENDER_WINDOW_FROM) or 0) + WINDOW_MS then
    redis.call('HSET', state, SENDER_WINDOW_FROM, at(0), SENDER_FAILURES, 0, SENDER_MESSAGES, 0)
  end
  local failures = redis.call('HINCRBY', state, SENDER_FAILURES, 1)
  local messages = tonumber(redis.call('HGET', state, SENDER_MESSAGES) or 0)
  local is_too_many = failures >= FAILURES and failures >= messages * PART
  if how == 'broken' or is_too_many then
    redis.call('HSET', state, SENDER_IS_OUT, 1, SENDER_PROBE_FROM, at(pause()))
    redis.call('HDEL', state, SENDER_PROBE_UNTIL)
    change = 'opened'
  end
end

if redis.call('EXISTS', state) == 1 then
  local slowed = tonumber(redis.call('HGET', state, SENDER_SLOWED_UNTIL) or 0) - now
  redis.call('PEXPIRE', state, math.max(REMEMBERED_MS, slowed))
end
return change
