-- Settles which code a request carries, and says that a worker has it.
--
-- KEYS[1]  the code, a hash that lives as long as the code and goes when it is used:
--            d  digest, c  sealed code, m  the request that made it, t  wrong tries by address
-- KEYS[2]  the request, a hash. Once a worker has it:
--            m  the request that made its code, x  when that code dies
--            p, s, d, f  when it was processed, sent, delivered, failed; w  why it failed
--            n  how many sends have begun, a  the sender of one whose result nobody has told yet
--            r1, r2, …  what a provider's first receipt said of the send of that number
--          From the first wrong try with its token on:
--            t  wrong tries with it (see attempt.lua)
-- ARGV[1]  the challenge id, of which to tell those who watch
-- ARGV[2]  the request id
-- ARGV[3]  digest of a fresh code
-- ARGV[4]  the fresh code, sealed
-- ARGV[5]  life of a fresh code in milliseconds
-- ARGV[6]  how many milliseconds a live code must have left to be sent again
-- ARGV[7]  when a request that no worker has taken up before is too old
-- ARGV[8]  how long a request is remembered, in milliseconds
-- All times are Unix times in milliseconds.
--
-- Replies {'live', sealed code, milliseconds left, sends begun, sender without a result or ''}, {'sent'} or {'failed'} when this is
-- settled, {'expired'} when it is too old, or {'superseded'} when the code it carried was used, replaced or has expired since.

local code, record = KEYS[1], KEYS[2]
local challenge, request = ARGV[1], ARGV[2]
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local sealed, maker = unpack(redis.call('HMGET', code, 'c', 'm'))
local left = redis.call('PTTL', code)

local carried, sent, failed, sends, sender = unpack(redis.call('HMGET', record, 'm', 's', 'f', 'n', 'a'))
if failed then
  return { 'failed' }
end
if sent then
  return { 'sent' }
end
if carried then
  if carried == maker then
    return { 'live', sealed, left, tonumber(sends or 0), sender or '' }
  end
  return { 'superseded' }
end
if now >= tonumber(ARGV[7]) then
  return { 'expired' }
end

if not sealed or left < tonumber(ARGV[6]) then
  sealed, maker, left = ARGV[4], request, tonumber(ARGV[5])
  redis.call('HSET', code, 'd', ARGV[3], 'c', sealed, 'm', maker, 't', 0)
  redis.call('PEXPIRE', code, left)
end
redis.call('HSET', record, 'm', maker, 'x', string.format('%.0f', now + left), 'p', string.format('%.0f', now))
redis.call('PEXPIRE', record, tonumber(ARGV[8]))
redis.call('PUBLISH', 'otp:changes', challenge)
return { 'live', sealed, left, 0, '' }
