-- Writes down how a sender took a message.
--
-- KEYS[1]  its state (see choose-sender.lua)
-- ARGV[1]  'well': it did its part; 'failed'; 'broken': it takes nothing, whatever it is sent; 'too fast': it takes no more for now;
--          'unused': it was not given the message after all
-- ARGV[2]  1 when it was a probe, else 0
-- ARGV[3]  with 'too fast': for how many milliseconds
-- Constants of sender-health.ts: FAILURES, PART, WINDOW_MS, PAUSE_MS, REMEMBERED_MS
--
-- Replies 'opened' or 'closed' when that changed who gets messages, else ''.

local state, how, is_probe = KEYS[1], ARGV[1], ARGV[2] == '1'
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local at = function(ms) return string.format('%.0f', now + ms) end
local is_open = redis.call('HEXISTS', state, 'o') == 1
local change = ''

if how == 'too fast' then
  local until_then = math.max(now + tonumber(ARGV[3]), tonumber(redis.call('HGET', state, 's') or 0))
  redis.call('HSET', state, 's', string.format('%.0f', until_then))
end

if how == 'well' or how == 'too fast' then
  -- It answered. What was sent before it failed says nothing of it now. Its failures stay counted while their window lasts: a
  -- provider that takes messages and does not deliver them answers, too.
  if is_open and is_probe then
    redis.call('HDEL', state, 'o', 'u', 'p')
    change = 'closed'
  end
elseif how == 'unused' then
  if is_probe then
    redis.call('HDEL', state, 'p')
  end
elseif is_open then
  if is_probe then
    redis.call('HDEL', state, 'p')
    redis.call('HSET', state, 'u', at(PAUSE_MS))
  end
else
  if now >= tonumber(redis.call('HGET', state, 'w') or 0) + WINDOW_MS then
    redis.call('HSET', state, 'w', at(0), 'c', 0, 'm', 0)
  end
  local failures = redis.call('HINCRBY', state, 'c', 1)
  local given = tonumber(redis.call('HGET', state, 'm') or 0)
  local is_too_many = failures >= FAILURES and failures >= given * PART
  if how == 'broken' or is_too_many then
    redis.call('HSET', state, 'o', 1, 'u', at(PAUSE_MS))
    redis.call('HDEL', state, 'p')
    change = 'opened'
  end
end

if redis.call('EXISTS', state) == 1 then
  local left = tonumber(redis.call('HGET', state, 's') or 0) - now
  redis.call('PEXPIRE', state, math.max(REMEMBERED_MS, left))
end
return change
