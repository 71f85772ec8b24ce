-- Claims the right to send now, unless a limit is reached. A request that is refused leaves nothing behind.
--
-- KEYS[1]  the sends to a mailbox
-- ARGV[1]  the purpose, 8 characters
-- ARGV[2]  the random part of the request id, 14 characters; empty to claim nothing and only learn the wait
-- ARGV[3]  the limits, separated by spaces, each as "<p or m> <count> <milliseconds>": so many sends within so long, for this
--          purpose (p) or for the whole mailbox (m)
--
-- Replies {0, 0, milliseconds until the next send may follow} when the claim is granted, which includes a request that already has
-- the right; else {milliseconds until no limit stands in the way, the number of the limit that causes this wait, from 1, 0}.

local key, purpose, request = KEYS[1], ARGV[1], ARGV[2]
local now = now_ms()

local limits, longest = {}, 0
for over, count, span in string.gmatch(ARGV[3], '(%a) (%d+) (%d+)') do
  local limit = { over = over, count = tonumber(count), span = tonumber(span) }
  limits[#limits + 1] = limit
  longest = math.max(longest, limit.span)
end

-- The times of the sends, newest first: those for this purpose, and all of them.
local of_purpose, of_mailbox, has_claim = {}, {}, false
local sends = redis.call('GET', key) or ''
local kept_from = 1
for i = #sends - SEND_SIZE + 1, 1, -SEND_SIZE do
  local at, its_purpose, its_request = struct.unpack(SEND_FORMAT, sends, i)
  if at + longest <= now then
    kept_from = i + SEND_SIZE
    break
  end
  of_mailbox[#of_mailbox + 1] = at
  if its_purpose == purpose then
    of_purpose[#of_purpose + 1] = at
  end
  has_claim = has_claim or its_request == request
end

local function wait()
  local longest_wait, reached = 0, 0
  for i, limit in ipairs(limits) do
    local at = (limit.over == 'p' and of_purpose or of_mailbox)[limit.count]
    if at and at + limit.span - now > longest_wait then
      longest_wait, reached = at + limit.span - now, i
    end
  end
  return longest_wait, reached
end

if request ~= '' and not has_claim then
  local ms, reached = wait()
  if ms > 0 then
    return { ms, reached, 0 }
  end
  sends = string.sub(sends, kept_from) .. struct.pack(SEND_FORMAT, now, purpose, request)
  -- PSETEX, not SET: SET may store the value in the buffer of an earlier, longer argument of a script, which takes more memory.
  redis.call('PSETEX', key, longest, sends)
  table.insert(of_purpose, 1, now)
  table.insert(of_mailbox, 1, now)
end
return { 0, 0, (wait()) }
