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
local is_out, slowed_until, window_from, failures, messages, refusals = unpack(redis.call('HMGET', state,
  SENDER_IS_OUT, SENDER_SLOWED_UNTIL, SENDER_WINDOW_FROM, SENDER_FAILURES, SENDER_MESSAGES, SENDER_REFUSALS))
slowed_until = tonumber(slowed_until or 0)
local change = ''
local set, remove = {}, {}
local function add(name, value)
  set[#set + 1] = name
  set[#set + 1] = value
end

-- A sender that merely fails is probed often, to be used again soon. One that refuses everything, for example the login, needs an
-- operator, and may lock the account if it is asked too often.
local function pause()
  if how ~= 'broken' then
    return PAUSE_MS
  end
  refusals = tonumber(refusals or 0) + 1
  add(SENDER_REFUSALS, refusals)
  return math.min(BROKEN_PAUSE_MS * 2 ^ (refusals - 1), LONGEST_PAUSE_MS)
end

if how == 'too fast' then
  slowed_until = math.max(now + tonumber(ARGV[3]), slowed_until)
  add(SENDER_SLOWED_UNTIL, string.format('%.0f', slowed_until))
end

if how == 'well' or how == 'too fast' then
  -- The sender answered. If it is out, only the answer to a probe counts: other messages were sent before it failed. Its failures
  -- stay counted until their window ends, because a provider that accepts messages but does not deliver them answers too.
  if is_out and is_probe then
    remove = { SENDER_IS_OUT, SENDER_PROBE_FROM, SENDER_PROBE_UNTIL, SENDER_REFUSALS }
    change = 'closed'
  end
elseif how == 'renewed' then
  remove = { SENDER_PROBE_FROM, SENDER_PROBE_UNTIL, SENDER_REFUSALS }
elseif how == 'unused' then
  if is_probe then
    remove = { SENDER_PROBE_UNTIL }
  end
elseif is_out then
  if is_probe then
    remove = { SENDER_PROBE_UNTIL }
    add(SENDER_PROBE_FROM, at(pause()))
  end
else
  if now >= tonumber(window_from or 0) + WINDOW_MS then
    failures, messages = 0, 0
    add(SENDER_WINDOW_FROM, at(0))
    add(SENDER_MESSAGES, 0)
  end
  failures = tonumber(failures or 0) + 1
  add(SENDER_FAILURES, failures)
  local is_too_many = failures >= FAILURES and failures >= tonumber(messages or 0) * PART
  if how == 'broken' or is_too_many then
    add(SENDER_IS_OUT, 1)
    add(SENDER_PROBE_FROM, at(pause()))
    remove = { SENDER_PROBE_UNTIL }
    change = 'opened'
  end
end

-- The expiry comes first, so that a missing right to set it leaves no state without one. A state that is new gets it afterwards.
local life = math.max(REMEMBERED_MS, slowed_until - now)
local is_new = redis.call('PEXPIRE', state, life) == 0
if #remove > 0 then
  may_hdel(state)
end
if #set > 0 then
  redis.call('HSET', state, unpack(set))
end
if #remove > 0 then
  redis.call('HDEL', state, unpack(remove))
end
if is_new and #set > 0 then
  redis.call('PEXPIRE', state, life)
end
return change
