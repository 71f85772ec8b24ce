-- Judges one attempt at a code.
--
-- KEYS[1]  the challenge
-- KEYS[2]  the consecutive wrong attempts at its address
-- KEYS[3]  the request whose token is shown, or KEYS[1] for an attempt by address
-- ARGV[1]  the budget: how many wrong attempts one token may make, or all attempts by address at one code
-- ARGV[2]  how long the wrong attempts of a token are remembered, in milliseconds
-- ARGV[3…] the digests of the typed code, one under each secret
-- Constants of otp/challenge/attempts.ts: WAIT_FROM, FIRST_WAIT_MS, LONGEST_WAIT_MS, LOCK_FROM, LOCK_MS, COUNT_LIFE_MS
--
-- Replies 'correct' or 'incorrect'; for an attempt that is not judged, the milliseconds to wait.

local challenge, wrong_attempts, token = KEYS[1], KEYS[2], KEYS[3]
local stamp, digest, life, wrong_by_address, wrong_by_maker =
  unpack(redis.call('HMGET', challenge, REQUEST_STAMP, CODE_DIGEST, REQUEST_LIFE, CODE_WRONG, REQUEST_WRONG))
if not digest then
  return 'incorrect'
end
local now = now_ms()
local processed = struct.unpack(TIME_FORMAT, stamp)
local left = processed + tonumber(life) - now
if left <= 0 then
  redis.call('HDEL', challenge, CODE_DIGEST, CODE_SEALED, CODE_WRONG)
  return 'incorrect'
end

local consecutive, wait_until = unpack(redis.call('HMGET', wrong_attempts, ADDRESS_WRONG, ADDRESS_WAIT_UNTIL))
local wait = tonumber(wait_until or 0) - now
if wait > 0 then
  return wait
end

local counter, field, wrong
if token == challenge then
  counter, field, wrong = challenge, CODE_WRONG, wrong_by_address
elseif token == challenge .. ':' .. string.sub(stamp, STAMP_MAKER) then
  counter, field, wrong = challenge, REQUEST_WRONG, wrong_by_maker
else
  counter, field, wrong = token, REQUEST_WRONG, redis.call('HGET', token, REQUEST_WRONG)
end
if tonumber(wrong or 0) >= tonumber(ARGV[1]) then
  return field == CODE_WRONG and left or math.max(1, redis.call('PTTL', counter))
end

for i = 3, #ARGV do
  if ARGV[i] == digest then
    redis.call('HDEL', challenge, CODE_DIGEST, CODE_SEALED, CODE_WRONG)
    redis.call('HSET', challenge, REQUEST_VERIFIED, now - processed)
    if wrong and field == REQUEST_WRONG then
      redis.call('HDEL', counter, REQUEST_WRONG)
    end
    if consecutive then
      redis.call('DEL', wrong_attempts)
    end
    redis.call('PUBLISH', CHANGES, challenge)
    return 'correct'
  end
end

redis.call('HINCRBY', counter, field, 1)
if field == REQUEST_WRONG then
  redis.call('PEXPIRE', counter, math.max(tonumber(ARGV[2]), left))
end

local count, remember = tonumber(consecutive or 0) + 1, COUNT_LIFE_MS
if count >= LOCK_FROM then
  remember = LOCK_MS
  redis.call('HSET', wrong_attempts, ADDRESS_WRONG, count, ADDRESS_WAIT_UNTIL, now + LOCK_MS)
elseif count >= WAIT_FROM then
  local next_wait = math.min(FIRST_WAIT_MS * 2 ^ (count - WAIT_FROM), LONGEST_WAIT_MS)
  redis.call('HSET', wrong_attempts, ADDRESS_WRONG, count, ADDRESS_WAIT_UNTIL, now + next_wait)
else
  redis.call('HSET', wrong_attempts, ADDRESS_WRONG, count)
end
redis.call('PEXPIRE', wrong_attempts, remember)
return 'incorrect'
