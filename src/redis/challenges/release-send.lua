-- Gives back the right to send that a request took.
--
-- KEYS[1]  the sends to an address (see claim-send.lua)
-- ARGV[1]  the random part of the request id
--
-- Replies how many were given back, 1 or 0.

local SIZE, REQUEST_AT = 28, 14
local sends = redis.call('GET', KEYS[1]) or ''
for i = 1, #sends, SIZE do
  if string.sub(sends, i + REQUEST_AT, i + SIZE - 1) == ARGV[1] then
    local others = string.sub(sends, 1, i - 1) .. string.sub(sends, i + SIZE)
    if others == '' then
      redis.call('DEL', KEYS[1])
    else
      redis.call('SET', KEYS[1], others, 'KEEPTTL')
    end
    return 1
  end
end
return 0
