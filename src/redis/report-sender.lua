-- Writes down how a sender took a message.
--
-- KEYS[1]  its state (see choose-sender.lua)
-- ARGV[1]  'well': it did its part; 'failed'; 'broken': it takes nothing, whatever it is sent; 'too fast': it takes no more for now
-- ARGV[2]  1 when it was a probe, else 0
-- ARGV[3]  how many failures within the window are too many
-- ARGV[4]  the window in milliseconds
-- ARGV[5]  milliseconds from a failed probe to the next
-- ARGV[6]  with 'too fast': for how many milliseconds
-- ARGV[7]  how long a state is remembered, in milliseconds
--
-- Replies 'opened' or 'closed' when that changed who gets messages, else ''.

local state, how, is_probe = KEYS[1], ARGV[1], ARGV[2] == '1'
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local at = function(ms) return string.format('%.0f', now + ms) end
local is_open = redis.call('HEXISTS', state, 'o') == 1
local change = ''

if how == 'too fast' then
  local until_then = math.max(now + tonumber(ARGV[6]), tonumber(redis.call('HGET', state, 's') or 0))
  redis.call('HSET', state, 's', string.format('%.0f', until_then))
end

if how == 'well' or how == 'too fast' then
  -- It answered. What was sent before it failed says nothing of it now.
  if is_open and is_probe then
    redis.call('HDEL', state, 'o', 'u', 'p', 'c', 'w')
    change = 'closed'
  end
elseif is_open then
  if is_probe then
    redis.call('HDEL', state, 'p')
    redis.call('HSET', state, 'u', at(tonumber(ARGV[5])))
  end
else
  if now >= tonumber(redis.call('HGET', state, 'w') or 0) + tonumber(ARGV[4]) then
    redis.call('HSET', state, 'w', at(0), 'c', 0)
  end
  local failures = redis.call('HINCRBY', state, 'c', 1)
  if how == 'broken' or failures >= tonumber(ARGV[3]) then
    redis.call('HSET', state, 'o', 1, 'u', at(tonumber(ARGV[5])))
    redis.call('HDEL', state, 'p')
    change = 'opened'
  end
end

if redis.call('EXISTS', state) == 1 then
  local left = tonumber(redis.call('HGET', state, 's') or 0) - now
  redis.call('PEXPIRE', state, math.max(tonumber(ARGV[7]), left))
end
return change
