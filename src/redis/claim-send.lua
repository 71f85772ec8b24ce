-- Takes the right to send now, unless a limit is reached. A request that is refused leaves nothing behind.
--
-- KEYS[1]  the sends to an address, a list, oldest first: "<Unix time in milliseconds> <purpose> <request id>"
-- ARGV[1]  the purpose
-- ARGV[2]  the request id
-- ARGV[3…] the limits, three each: "purpose" or "address", for what it counts; how many sends it allows; within how many
--          milliseconds
--
-- Replies {0, 0, milliseconds until the next one may be sent} when granted, also to a request that has taken the right before;
-- else {milliseconds until no limit is in the way, the number of the limit, from 1, that makes it so long, 0}.

local sends, purpose, request = KEYS[1], ARGV[1], ARGV[2]
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)

local limits, longest = {}, 0
for i = 3, #ARGV, 3 do
  local limit = { over = ARGV[i], count = tonumber(ARGV[i + 1]), span = tonumber(ARGV[i + 2]) }
  limits[#limits + 1] = limit
  longest = math.max(longest, limit.span)
end

-- When the sends were, newest first: those for this purpose, and all.
local times, over, taken = { purpose = {}, address = {} }, 0, false
local entries = redis.call('LRANGE', sends, 0, -1)
for i = #entries, 1, -1 do
  local at, for_purpose, by = string.match(entries[i], '^(%d+) (%S+) (.+)$')
  at = tonumber(at)
  if at + longest <= now then
    over = i
    break
  end
  table.insert(times.address, at)
  if for_purpose == purpose then
    table.insert(times.purpose, at)
  end
  taken = taken or by == request
end

local function wait()
  local longest_wait, reached = 0, 0
  for i, limit in ipairs(limits) do
    local at = times[limit.over][limit.count]
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
  if over > 0 then
    redis.call('LTRIM', sends, over, -1)
  end
  redis.call('RPUSH', sends, string.format('%.0f', now) .. ' ' .. purpose .. ' ' .. request)
  redis.call('PEXPIRE', sends, longest)
  table.insert(times.purpose, 1, now)
  table.insert(times.address, 1, now)
end
return { 0, 0, (wait()) }
