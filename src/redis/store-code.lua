-- Settles which code a request carries.
--
-- KEYS[1]  the code, a hash that lives as long as the code:
--            d  digest, c  sealed code (neither once the code was used), t  wrong tries by address,
--            g  its generation, counted from 1 and raised by each new code,
--            r:<request id>  the generation that this request carries
-- ARGV[1]  the request id
-- ARGV[2]  digest of a fresh code
-- ARGV[3]  the fresh code, sealed
-- ARGV[4]  life of a fresh code in milliseconds
-- ARGV[5]  how many milliseconds a live code must have left to be sent again
--
-- Replies {sealed code, milliseconds left}, or {} when the code this request carried was used or replaced since. The marks
-- outlive every run of their request: a code lives at least as long from its storing as a request from its acceptance.

local mark = 'r:' .. ARGV[1]
local kept = redis.call('HMGET', KEYS[1], 'c', 'g', mark)
local sealed, generation, carried = kept[1], tonumber(kept[2] or 0), tonumber(kept[3] or 0)
local left = redis.call('PTTL', KEYS[1])

if carried > 0 then
  if sealed and carried == generation then
    return { sealed, left }
  end
  return {}
end

if sealed and left >= tonumber(ARGV[5]) then
  redis.call('HSET', KEYS[1], mark, generation)
  return { sealed, left }
end

local life = tonumber(ARGV[4])
redis.call('HSET', KEYS[1], 'd', ARGV[2], 'c', ARGV[3], 't', 0, 'g', generation + 1, mark, generation + 1)
redis.call('PEXPIRE', KEYS[1], life)
return { ARGV[3], life }
