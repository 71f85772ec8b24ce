-- Judges one try at a code.
--
-- KEYS[1]  the code (see store-code.lua)
-- KEYS[2]  wrong tries in a row at this address, a hash: n  how many, u  no try before this Unix time in milliseconds
-- KEYS[3]  wrong tries of the token shown, a number; absent for a try by address, which field t of the code counts
-- ARGV[1]  budget: wrong tries that one token, or one code by address, bears
-- ARGV[2]  how long a token's tries are remembered, in milliseconds
-- ARGV[3]  wrong tries in a row from which on each makes the address wait
-- ARGV[4]  the first wait in milliseconds; it doubles with each further wrong try
-- ARGV[5]  the longest wait in milliseconds
-- ARGV[6]  wrong tries in a row that lock the address
-- ARGV[7]  how long it stays locked, in milliseconds
-- ARGV[8]  how long the tries in a row are remembered, in milliseconds
-- ARGV[9…] the digests of what was typed, one under each secret
--
-- Replies {'correct', 0}, {'incorrect', 0}, or {'refused', milliseconds to wait} for a try that was not judged.

local digest = redis.call('HGET', KEYS[1], 'd')
if not digest then
  return { 'incorrect', 0 }
end

local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local wait = tonumber(redis.call('HGET', KEYS[2], 'u') or 0) - now
if wait > 0 then
  return { 'refused', wait }
end

local token = KEYS[3]
local spent
if token then
  spent = tonumber(redis.call('GET', token) or 0)
else
  spent = tonumber(redis.call('HGET', KEYS[1], 't') or 0)
end
if spent >= tonumber(ARGV[1]) then
  return { 'refused', math.max(1, redis.call('PTTL', token or KEYS[1])) }
end

for i = 9, #ARGV do
  if ARGV[i] == digest then
    redis.call('DEL', unpack(KEYS))
    return { 'correct', 0 }
  end
end

if token then
  redis.call('SET', token, spent + 1, 'PX', tonumber(ARGV[2]))
else
  redis.call('HINCRBY', KEYS[1], 't', 1)
end

local row = redis.call('HINCRBY', KEYS[2], 'n', 1)
local from, lock = tonumber(ARGV[3]), tonumber(ARGV[6])
local life = tonumber(ARGV[8])
if row >= lock then
  life = tonumber(ARGV[7])
  redis.call('HSET', KEYS[2], 'u', now + life)
elseif row >= from then
  redis.call('HSET', KEYS[2], 'u', now + math.min(tonumber(ARGV[4]) * 2 ^ (row - from), tonumber(ARGV[5])))
end
redis.call('PEXPIRE', KEYS[2], life)
return { 'incorrect', 0 }
