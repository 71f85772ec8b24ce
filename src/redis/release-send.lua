-- Gives back the right to send that a request took.
--
-- KEYS[1]  the sends to an address (see claim-send.lua)
-- ARGV[1]  the request id
--
-- Replies how many were given back, 1 or 0.

for _, entry in ipairs(redis.call('LRANGE', KEYS[1], 0, -1)) do
  if string.match(entry, '^%d+ %S+ (.+)$') == ARGV[1] then
    return redis.call('LREM', KEYS[1], -1, entry)
  end
end
return 0
