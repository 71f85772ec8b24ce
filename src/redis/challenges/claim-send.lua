-- Takes the right to send now, unless a limit is reached. A request that is refused leaves nothing behind.
--
-- KEYS[1]  the sends to an address, a string, oldest first. Each is 28 bytes, so that one alone takes the least memory:
--          Unix time in milliseconds, 6 bytes; purpose, 8; the random part of the request id, 14
-- ARGV[1]  the purpose, 8 characters
-- ARGV[2]  the random part of the request id, 14 characters
-- ARGV[3]  the limits, one after the other, as "<p or a> <sends> <milliseconds>": so many within so long, for this purpose or for
--          the address
--
-- Replies {0, 0, milliseconds until the next one may be sent} when granted, also to a request that has taken the right before;
-- else {milliseconds until no limit is in the way, the number of the limit, from 1, that makes it so long, 0}.

local SEND, SIZE = '>I6c8c14', 28
local key, purpose, request = KEYS[1], ARGV[1], ARGV[2]
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local limits, longest = {}, 0
for over, count, span in string.gmatch(ARGV[3], '(%a) (%d+) (%d+)') do
  local limit = { over = over, count = tonumber(count), span = tonumber(span) }
  limits[#limits + 1] = limit
  longest = math.max(longest, limit.span)
end

-- When the sends were, newest first: those for this purpose, and all.
local of_purpose, of_address, taken = {}, {}, false
local sends = redis.call('GET', key) or ''
local kept_from = 1
for i = #sends - SIZE + 1, 1, -SIZE do
  local at, for_purpose, by = struct.unpack(SEND, sends, i)
  if at + longest <= now then
    kept_from = i + SIZE
    break
  end
  of_address[#of_address + 1] = at
  if for_purpose == purpose then
    of_purpose[#of_purpose + 1] = at
  end
  taken = taken or by == request
end

local function wait()
  local longest_wait, reached = 0, 0
  for i, limit in ipairs(limits) do
    local at = (limit.over == 'p' and of_purpose or of_address)[limit.count]
    if at and at + limit.span - now > longest_wait then
      longest_wait, reached = at + limit.span - now, i
    end
  end
  return longest_wait, reached
end

if not taken then
  local ms, reached = wait()
  if ms > 0 then
    return { ms, reached, 0 }
  end
  sends = string.sub(sends, kept_from) .. struct.pack(SEND, now, purpose, request)
  -- Not SET: Redis may keep what stands in that place in the larger memory of an earlier script's argument, a key for example.
  redis.call('PSETEX', key, longest, sends)
  table.insert(of_purpose, 1, now)
  table.insert(of_address, 1, now)
end
return { 0, 0, (wait()) }
