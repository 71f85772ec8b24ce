-- Settles which code a request carries.
--
-- KEYS[1]  the code, a hash that lives as long as the code and goes when it is used:
--            d  digest, c  sealed code, m  the request that made it, t  wrong tries by address
-- KEYS[2]  what this request carries: the request that made its code
-- ARGV[1]  the request id
-- ARGV[2]  digest of a fresh code
-- ARGV[3]  the fresh code, sealed
-- ARGV[4]  life of a fresh code in milliseconds
-- ARGV[5]  how many milliseconds a live code must have left to be sent again
--
-- Replies {sealed code, milliseconds left}, or {} when the code this request carried was used, replaced or has expired since.
-- KEYS[2] lives for a whole life from the first run on, and a request is dropped one life after it was accepted: so no run of
-- it comes too late to find it.

local request, life = ARGV[1], tonumber(ARGV[4])
local sealed, maker = unpack(redis.call('HMGET', KEYS[1], 'c', 'm'))
local left = redis.call('PTTL', KEYS[1])

local carried = redis.call('GET', KEYS[2])
if carried then
  if carried == maker then
    return { sealed, left }
  end
  return {}
end

if sealed and left >= tonumber(ARGV[5]) then
  redis.call('SET', KEYS[2], maker, 'PX', life)
  return { sealed, left }
end

redis.call('HSET', KEYS[1], 'd', ARGV[2], 'c', ARGV[3], 'm', request, 't', 0)
redis.call('PEXPIRE', KEYS[1], life)
redis.call('SET', KEYS[2], request, 'PX', life)
return { ARGV[3], life }
