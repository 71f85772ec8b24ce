-- Gives back the right to send that a request has claimed.
--
-- KEYS[1]  the sends to a mailbox
-- ARGV[1]  the random part of the request id
--
-- Replies 1 if the request had the right, else 0.

local sends = redis.call('GET', KEYS[1]) or ''
for i = 1, #sends, SEND_SIZE do
  if string.sub(sends, i + SEND_REQUEST, i + SEND_SIZE - 1) == ARGV[1] then
    local others = string.sub(sends, 1, i - 1) .. string.sub(sends, i + SEND_SIZE)
    if others == '' then
      redis.call('DEL', KEYS[1])
    else
      redis.call('SET', KEYS[1], others, 'KEEPTTL')
    end
    return 1
  end
end
return 0
