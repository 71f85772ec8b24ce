-- Marks that a message is about to be handed to a sender: who finds the mark knows that it may have gone out.
--
-- KEYS[1]  the code (see store-code.lua)
-- KEYS[2]  the request (see store-code.lua)
-- ARGV[1]  the sender's name
-- ARGV[2]  how many sends have begun, as far as this run knows
--
-- Replies the number of this send, from 1, or 0 when there is nothing to send any more, or another run has taken over.

local maker, sent, failed, begun = unpack(redis.call('HMGET', KEYS[2], 'm', 's', 'f', 'n'))
if not maker or sent or failed or redis.call('HGET', KEYS[1], 'm') ~= maker then
  return 0
end
if tonumber(begun or 0) ~= tonumber(ARGV[2]) then
  return 0
end
redis.call('HSET', KEYS[2], 'a', ARGV[1])
return redis.call('HINCRBY', KEYS[2], 'n', 1)
