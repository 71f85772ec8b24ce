-- Settles which code a request carries, and says that a worker has it.
--
-- KEYS[1]  the challenge, a hash: the last code that was made, and what became of the request that made it.
--            d  digest, c  sealed code, as bytes; both go when the code is used
--            b  wrong tries at the code by address
--            and of the request that made it, its maker, all that KEYS[2] holds of others
-- KEYS[2]  a request that did not make that code, a hash; its name is KEYS[1], a colon and the request id. Once a worker has it:
--            m  when it was processed, Unix time in 6 bytes, and then the id of the request that made its code
--            x  when its code dies; s, e, f  when it was sent, delivered, failed; all after it was processed
--            w  why it failed; v  when its code was verified, known of a maker alone
--            n  how many sends have begun, a  the sender of one whose result nobody has told yet
--            r1, r2, …  d or f: that a provider's first receipt said delivered or failed of the send of that number
--          From the first wrong try with its token on:
--            t  wrong tries with it (see attempt.lua)
-- KEYS[3]  where to put what KEYS[1] holds of a request whose code is replaced, if this script has asked for it
-- ARGV[1]  digest of a fresh code
-- ARGV[2]  the fresh code, sealed
-- ARGV[3]  life of a fresh code
-- ARGV[4]  how much of its life a live code must have left to be sent again
-- ARGV[5]  when a request that no worker has taken up before is too old, a Unix time
-- ARGV[6]  how long a request is remembered, no shorter than a code lives
-- All times are in milliseconds.
--
-- Replies {'live', sealed code, milliseconds left, sends begun, sender without a result}, {'sent'} or {'failed'} when this is
-- settled, {'expired'} when it is too old, {'superseded'} when the code it carried was used, replaced or has expired since, or
-- {'held', request id} when it has to be called again with the key of that request as KEYS[3].

local challenge, own, place = KEYS[1], KEYS[2], KEYS[3]
local request = string.sub(own, #challenge + 2)
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local made, sealed, dies, sent, failed, sends, sender =
  unpack(redis.call('HMGET', challenge, 'm', 'c', 'x', 's', 'f', 'n', 'a'))
local maker = made and string.sub(made, 7)
local left = sealed and struct.unpack('>I6', made) + tonumber(dies) - now or 0
local taken, tries = made, false
if maker ~= request then
  taken, sent, failed, sends, sender, tries = unpack(redis.call('HMGET', own, 'm', 's', 'f', 'n', 'a', 't'))
end

if failed then
  return { 'failed' }
end
if sent then
  return { 'sent' }
end
if taken then
  if string.sub(taken, 7) == maker and left > 0 then
    return { 'live', sealed, left, tonumber(sends or 0), sender }
  end
  return { 'superseded' }
end
if now >= tonumber(ARGV[5]) then
  return { 'expired' }
end

local remember = tonumber(ARGV[6])
if left > 0 and left >= tonumber(ARGV[4]) then
  redis.call('HSET', own, 'm', struct.pack('>I6', now) .. maker, 'x', left)
  redis.call('PEXPIRE', own, remember)
  -- Whether the code was verified is asked of its maker, for as long as of those who carry it.
  redis.call('PEXPIRE', challenge, math.max(remember, left))
else
  if maker then
    if place ~= challenge .. ':' .. maker then
      return { 'held', maker }
    end
    redis.call('HDEL', challenge, 'd', 'c', 'b')
    redis.call('RENAME', challenge, place)
  end
  sealed, left = ARGV[2], tonumber(ARGV[3])
  redis.call('HSET', challenge, 'm', struct.pack('>I6', now) .. request, 'd', ARGV[1], 'c', sealed, 'x', left)
  redis.call('PEXPIRE', challenge, remember)
  if tries then
    redis.call('HSET', challenge, 't', tries)
    redis.call('DEL', own)
  end
end
redis.call('PUBLISH', 'otp:changes', challenge)
return { 'live', sealed, left, 0, false }
