-- Decides which code a request carries, and records that a worker has taken the request.
--
-- KEYS[1]  the challenge
-- KEYS[2]  the request's own hash
-- KEYS[3]  the own hash of the maker whose code is replaced; only after this script has asked for it
-- ARGV[1]  the digest of a fresh code
-- ARGV[2]  the fresh code, sealed
-- ARGV[3]  how long a fresh code lives
-- ARGV[4]  how much of its life a live code must have left to be sent again
-- ARGV[5]  the Unix time from which on the request is too old to be taken for the first time
-- ARGV[6]  how long a request is remembered; at least as long as a code lives
-- All times are in milliseconds.
--
-- Replies one of:
--   {'live', sealed code, milliseconds left, sends that have begun, sender whose result is unknown}
--   {'sent'} or {'failed'}  the delivery has ended
--   {'expired'}             the request is too old
--   {'superseded'}          the code that the request carried has been used or replaced, or has expired
--   {'held', request id}    the caller has to call again, with the key of this request as KEYS[3]

local challenge, own, place = KEYS[1], KEYS[2], KEYS[3]
local request = string.sub(own, #challenge + 2)
local now = now_ms()

local stamp, sealed, life, sent, failed, sends, unsettled = unpack(redis.call('HMGET', challenge,
  REQUEST_STAMP, CODE_SEALED, REQUEST_LIFE, REQUEST_SENT, REQUEST_FAILED, REQUEST_SENDS, REQUEST_UNSETTLED))
local maker = stamp and string.sub(stamp, STAMP_MAKER)
local left = sealed and struct.unpack(TIME_FORMAT, stamp) + tonumber(life) - now or 0
local own_stamp, wrong = stamp, false
if maker ~= request then
  own_stamp, sent, failed, sends, unsettled, wrong = unpack(redis.call('HMGET', own,
    REQUEST_STAMP, REQUEST_SENT, REQUEST_FAILED, REQUEST_SENDS, REQUEST_UNSETTLED, REQUEST_WRONG))
end

if failed then
  return { 'failed' }
end
if sent then
  return { 'sent' }
end
if own_stamp then
  if string.sub(own_stamp, STAMP_MAKER) == maker and left > 0 then
    return { 'live', sealed, left, tonumber(sends or 0), unsettled }
  end
  return { 'superseded' }
end
if now >= tonumber(ARGV[5]) then
  return { 'expired' }
end

local remember = tonumber(ARGV[6])
if left > 0 and left >= tonumber(ARGV[4]) then
  -- Only the maker's hash records that the code was verified, so it must live as long as any request that carries the code.
  redis.call('PEXPIRE', challenge, math.max(remember, left))
  redis.call('HSET', own, REQUEST_STAMP, struct.pack(TIME_FORMAT, now) .. maker, REQUEST_LIFE, left)
  redis.call('PEXPIRE', own, remember)
else
  if maker and place ~= challenge .. ':' .. maker then
    return { 'held', maker }
  end
  sealed, left = ARGV[2], tonumber(ARGV[3])
  write_or_undo(function()
    if maker then
      redis.call('RENAME', challenge, place)
    end
    redis.call('HSET', challenge, REQUEST_STAMP, struct.pack(TIME_FORMAT, now) .. request, CODE_DIGEST, ARGV[1], CODE_SEALED, sealed,
      REQUEST_LIFE, left)
    redis.call('PEXPIRE', challenge, remember)
    if wrong then
      redis.call('HSET', challenge, REQUEST_WRONG, wrong)
    end
    if maker then
      redis.call('HDEL', place, CODE_DIGEST, CODE_SEALED, CODE_WRONG, CODE_WRONG_KEYED)
    end
    if wrong then
      redis.call('HDEL', own, REQUEST_WRONG)
    end
  end, function()
    if maker then
      redis.pcall('RENAME', place, challenge)
    else
      redis.pcall('DEL', challenge)
    end
  end)
end
publish(challenge)
return { 'live', sealed, left, 0, false }
