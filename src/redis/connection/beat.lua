-- Writes that a process is alive, and reads what the others have written. That the write succeeds shows that Redis works.
--
-- KEYS[1]  the pulse: a hash with a field for each process
-- ARGV     the process's id, its note, how long a field counts and how long the hash is kept (durations), 1 to read the others.
--          A process without a note leaves.
-- reply    the time, then the note of each other process if they were asked for

local id, note, life, keep, reads = ARGV[1], ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
local now = now_ms()
if note == '' then
  redis.call('HDEL', KEYS[1], id)
  return { now }
end
local entries = reads == '1' and redis.call('HGETALL', KEYS[1]) or {}
local reply, stale = { now }, {}
for i = 1, #entries, 2 do
  local at, other = string.match(entries[i + 1], '^(%d+) (.*)$')
  -- The clock of a replica that was promoted may be behind, so a field from the future is as old as one from the past.
  if at == nil or math.abs(now - tonumber(at)) > life then
    stale[#stale + 1] = entries[i]
  elseif entries[i] ~= id then
    reply[#reply + 1] = other
  end
end

-- HSET is the first write, because a Redis that is full refuses it only as the first one.
redis.call('HSET', KEYS[1], id, string.format('%.0f %s', now, note))
local kept = redis.pcall('PEXPIRE', KEYS[1], keep)
if type(kept) == 'table' then
  redis.pcall('HDEL', KEYS[1], id)
  return kept
end
if #stale > 0 then
  redis.pcall('HDEL', KEYS[1], unpack(stale))
end
return reply
