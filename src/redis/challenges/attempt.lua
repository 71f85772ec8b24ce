-- Judges one try at a code.
--
-- KEYS[1]  the challenge (see store-code.lua), which counts wrong tries by address in b
-- KEYS[2]  wrong tries in a row at this address, a hash: n  how many, u  no try before this Unix time in milliseconds
-- KEYS[3]  the request whose token is shown (see store-code.lua), which counts wrong tries in t; KEYS[1] for a try by address
-- ARGV[1]  budget: wrong tries that one token, or one code by address, bears
-- ARGV[2]  how long a token's tries are remembered, in milliseconds
-- ARGV[3…] the digests of what was typed, one under each secret
-- Constants of otp/attempts.ts: WAIT_FROM, FIRST_WAIT_MS, LONGEST_WAIT_MS, LOCK_FROM, LOCK_MS, COUNT_LIFE_MS
--
-- Replies 'correct', 'incorrect', or for a try that was not judged how many milliseconds to wait.

local challenge, row, token = KEYS[1], KEYS[2], KEYS[3]
local made, digest, dies, by_address, by_maker = unpack(redis.call('HMGET', challenge, 'm', 'd', 'x', 'b', 't'))
if not digest then
  return 'incorrect'
end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local processed = struct.unpack('>I6', made)
local left = processed + tonumber(dies) - now
if left <= 0 then
  redis.call('HDEL', challenge, 'd', 'c', 'b')
  return 'incorrect'
end

local in_a_row, until_then = unpack(redis.call('HMGET', row, 'n', 'u'))
local wait = tonumber(until_then or 0) - now
if wait > 0 then
  return wait
end

local counter, field, tries
if token == challenge then
  counter, field, tries = challenge, 'b', by_address
elseif token == challenge .. ':' .. string.sub(made, 7) then
  counter, field, tries = challenge, 't', by_maker
else
  counter, field, tries = token, 't', redis.call('HGET', token, 't')
end
if tonumber(tries or 0) >= tonumber(ARGV[1]) then
  return field == 'b' and left or math.max(1, redis.call('PTTL', counter))
end

for i = 3, #ARGV do
  if ARGV[i] == digest then
    redis.call('HDEL', challenge, 'd', 'c', 'b')
    redis.call('HSET', challenge, 'v', now - processed)
    if tries and field == 't' then
      redis.call('HDEL', counter, 't')
    end
    if in_a_row then
      redis.call('DEL', row)
    end
    redis.call('PUBLISH', 'otp:changes', challenge)
    return 'correct'
  end
end

redis.call('HINCRBY', counter, field, 1)
if field == 't' then
  redis.call('PEXPIRE', counter, math.max(tonumber(ARGV[2]), left))
end

local wrong, remember = tonumber(in_a_row or 0) + 1, COUNT_LIFE_MS
if wrong >= LOCK_FROM then
  remember = LOCK_MS
  redis.call('HSET', row, 'n', wrong, 'u', now + LOCK_MS)
elseif wrong >= WAIT_FROM then
  redis.call('HSET', row, 'n', wrong, 'u', now + math.min(FIRST_WAIT_MS * 2 ^ (wrong - WAIT_FROM), LONGEST_WAIT_MS))
else
  redis.call('HSET', row, 'n', wrong)
end
redis.call('PEXPIRE', row, remember)
return 'incorrect'
