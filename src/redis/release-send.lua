-- Gives a claim back, unless another request holds it by now.
--
-- KEYS[1]  the claim of the last send
-- ARGV[1]  the request id
--
-- Replies 1 when it was given back, else 0.

if redis.call('GET', KEYS[1]) == ARGV[1] then
  return redis.call('DEL', KEYS[1])
end
return 0
