-- Judges one try at a code.
--
-- KEYS[1]  the code (see store-code.lua)
-- KEYS[2]  wrong tries in a row at this address, a hash: n  how many, u  no try before this Unix time in milliseconds
-- KEYS[3]  when codes of the challenge were verified, a sorted set: the request that made the code, by Unix time in milliseconds
-- KEYS[4]  the request whose token is shown (see store-code.lua), which counts wrong tries in t; absent for a try by address, which
--          field t of the code counts
-- ARGV[1]  the challenge id, of which to tell those who watch
-- ARGV[2]  budget: wrong tries that one token, or one code by address, bears
-- ARGV[3]  how long a token's tries, and what was verified, are remembered, in milliseconds
-- ARGV[4]  wrong tries in a row from which on each makes the address wait
-- ARGV[5]  the first wait in milliseconds; it doubles with each further wrong try
-- ARGV[6]  the longest wait in milliseconds
-- ARGV[7]  wrong tries in a row that lock the address
-- ARGV[8]  how long it stays locked, in milliseconds
-- ARGV[9]  how long the tries in a row are remembered, in milliseconds
-- ARGV[10…] the digests of what was typed, one under each secret
--
-- Replies {'correct', 0}, {'incorrect', 0}, or {'refused', milliseconds to wait} for a try that was not judged.

local code, row, verified, counter = KEYS[1], KEYS[2], KEYS[3], KEYS[4] or KEYS[1]
local is_by_token = counter ~= code
local life = tonumber(ARGV[3])

local digest, maker = unpack(redis.call('HMGET', code, 'd', 'm'))
if not digest then
  return { 'incorrect', 0 }
end

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local wait = tonumber(redis.call('HGET', row, 'u') or 0) - now
if wait > 0 then
  return { 'refused', wait }
end

if tonumber(redis.call('HGET', counter, 't') or 0) >= tonumber(ARGV[2]) then
  return { 'refused', math.max(1, redis.call('PTTL', counter)) }
end

for i = 10, #ARGV do
  if ARGV[i] == digest then
    redis.call('DEL', code, row)
    if is_by_token then
      redis.call('HDEL', counter, 't')
    end
    redis.call('ZREMRANGEBYSCORE', verified, 0, string.format('%.0f', now - life))
    redis.call('ZADD', verified, string.format('%.0f', now), maker)
    redis.call('PEXPIRE', verified, life)
    redis.call('PUBLISH', 'otp:changes', ARGV[1])
    return { 'correct', 0 }
  end
end

redis.call('HINCRBY', counter, 't', 1)
if is_by_token then
  redis.call('PEXPIRE', counter, life)
end

local wrong = redis.call('HINCRBY', row, 'n', 1)
local from, lock = tonumber(ARGV[4]), tonumber(ARGV[7])
local remember = tonumber(ARGV[9])
if wrong >= lock then
  remember = tonumber(ARGV[8])
  redis.call('HSET', row, 'u', now + remember)
elseif wrong >= from then
  redis.call('HSET', row, 'u', now + math.min(tonumber(ARGV[5]) * 2 ^ (wrong - from), tonumber(ARGV[6])))
end
redis.call('PEXPIRE', row, remember)
return { 'incorrect', 0 }
