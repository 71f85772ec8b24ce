-- Reads how far a request has come.
--
-- KEYS[1]  the code (see store-code.lua)
-- KEYS[2]  the request (see store-code.lua)
-- KEYS[3]  when codes of the challenge were verified (see attempt.lua)
--
-- Replies {now}, and once a worker has it {now, processed, code dies, sent, delivered, failed, why, verified, the request that made
-- its code, the request that made the code that is live}: Unix times in milliseconds, with '' for what has not happened or is not.

local time = redis.call('TIME')
local now = string.format('%.0f', tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000))

local maker, processed, dies, sent, delivered, failed, why =
  unpack(redis.call('HMGET', KEYS[2], 'm', 'p', 'x', 's', 'd', 'f', 'w'))
if not maker then
  return { now }
end
local verified = redis.call('ZSCORE', KEYS[3], maker)
local live = redis.call('HGET', KEYS[1], 'm')
return {
  now, processed, dies, sent or '', delivered or '', failed or '', why or '', verified or '', maker, live or ''
}
