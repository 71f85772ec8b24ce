-- Judges one attempt at a code.
--
-- KEYS[1]  the challenge
-- KEYS[2]  the consecutive wrong attempts at its address
-- KEYS[3]  the request whose token is shown, or KEYS[1] for an attempt by address
-- ARGV[1]  the budget: how many wrong attempts one token may make, or all attempts by address at one code
-- ARGV[2]  how long the wrong attempts of a token are remembered, in milliseconds
-- ARGV[3]  1 if the caller has a key, else 0
-- ARGV[4]  the client that makes the attempt
-- ARGV[5…] the digests of the typed code, one under each secret; none if the attempt is wrong whatever was typed
-- Constants of otp/challenge/attempts.ts: PAIR_WAIT_FROM, ADDRESS_WAIT_FROM, FIRST_WAIT_MS, LONGEST_WAIT_MS, LOCK_FROM,
-- PUBLIC_LOCK_FROM, LOCK_MS, COUNT_LIFE_MS, PAIR_LIFE_MS
--
-- Replies 'correct' or 'incorrect'; for an attempt that is not judged, {'wait', milliseconds} or, if its budget is spent,
-- {'spent', milliseconds until the code expires}.

local challenge, wrong_attempts, token = KEYS[1], KEYS[2], KEYS[3]
local is_keyed, client = ARGV[3] == '1', ARGV[4]
local code_field = is_keyed and CODE_WRONG_KEYED or CODE_WRONG
local wait_field = is_keyed and ADDRESS_WAIT_UNTIL_KEYED or ADDRESS_WAIT_UNTIL
local stamp, digest, life, wrong_by_address, wrong_by_maker =
  unpack(redis.call('HMGET', challenge, REQUEST_STAMP, CODE_DIGEST, REQUEST_LIFE, code_field, REQUEST_WRONG))
if not digest then
  return 'incorrect'
end
local now = now_ms()
local processed = struct.unpack(TIME_FORMAT, stamp)
local left = processed + tonumber(life) - now
if left <= 0 then
  redis.call('HDEL', challenge, CODE_DIGEST, CODE_SEALED, CODE_WRONG, CODE_WRONG_KEYED)
  return 'incorrect'
end

local of_all, of_keyed, address_wait_until, of_pair =
  unpack(redis.call('HMGET', wrong_attempts, ADDRESS_WRONG, ADDRESS_WRONG_KEYED, wait_field, client))
local pair_wrong, pair_wait_until, pair_forget_at = 0, 0, 0
if of_pair then
  pair_wrong, pair_wait_until, pair_forget_at = string.match(of_pair, PAIR_FORMAT)
end
if tonumber(pair_forget_at) <= now then
  pair_wrong, pair_wait_until = 0, 0
end
local wait = math.max(tonumber(address_wait_until or 0), tonumber(pair_wait_until)) - now
if wait > 0 then
  return { 'wait', wait }
end

local counter, field, wrong
if token == challenge then
  counter, field, wrong = challenge, code_field, wrong_by_address
elseif token == challenge .. ':' .. string.sub(stamp, STAMP_MAKER) then
  counter, field, wrong = challenge, REQUEST_WRONG, wrong_by_maker
else
  counter, field, wrong = token, REQUEST_WRONG, redis.call('HGET', token, REQUEST_WRONG)
end
if tonumber(wrong or 0) >= tonumber(ARGV[1]) then
  return { 'spent', left }
end

for i = 5, #ARGV do
  if ARGV[i] == digest then
    may_hdel(challenge)
    redis.call('HSET', challenge, REQUEST_VERIFIED, now - processed)
    redis.call('HDEL', challenge, CODE_DIGEST, CODE_SEALED, CODE_WRONG, CODE_WRONG_KEYED)
    if wrong and field == REQUEST_WRONG then
      redis.call('HDEL', counter, REQUEST_WRONG)
    end
    if of_all or of_pair then
      redis.call('HDEL', wrong_attempts, ADDRESS_WRONG, ADDRESS_WRONG_KEYED, ADDRESS_WAIT_UNTIL, ADDRESS_WAIT_UNTIL_KEYED, client)
    end
    publish(challenge)
    return 'correct'
  end
end

local function next_wait(count, wait_from)
  return math.min(FIRST_WAIT_MS * 2 ^ (count - wait_from), LONGEST_WAIT_MS)
end

local count, wait_until = tonumber(pair_wrong) + 1, 0
if count >= PAIR_WAIT_FROM then
  wait_until = now + next_wait(count, PAIR_WAIT_FROM)
end
local counted = string.format('%d %.0f %.0f', count, wait_until, now + PAIR_LIFE_MS)

local all, keyed, remember = tonumber(of_all or 0) + 1, tonumber(of_keyed or 0), COUNT_LIFE_MS
local fields = { client, counted, ADDRESS_WRONG, all }
local function add(name, value)
  fields[#fields + 1] = name
  fields[#fields + 1] = value
end
if is_keyed then
  keyed = keyed + 1
  add(ADDRESS_WRONG_KEYED, keyed)
end
if all >= LOCK_FROM then
  remember = LOCK_MS
  add(ADDRESS_WAIT_UNTIL, now + LOCK_MS)
  add(ADDRESS_WAIT_UNTIL_KEYED, now + LOCK_MS)
elseif not is_keyed and all - keyed >= PUBLIC_LOCK_FROM then
  remember = LOCK_MS
  add(ADDRESS_WAIT_UNTIL, now + LOCK_MS)
else
  local own = is_keyed and keyed or all - keyed
  if own >= ADDRESS_WAIT_FROM then
    add(wait_field, now + next_wait(own, ADDRESS_WAIT_FROM))
  end
end

-- The expiry comes first, so that a missing right to set it leaves no count without one. A key that is new gets it afterwards.
local wrong_life = field == REQUEST_WRONG and math.max(tonumber(ARGV[2]), left)
-- An attempt with a key must not make the lock of callers without one outlast its day.
local extends = all - keyed < PUBLIC_LOCK_FROM or remember == LOCK_MS
local is_new = extends and redis.call('PEXPIRE', wrong_attempts, remember) == 0
local is_new_counter = wrong_life and redis.call('PEXPIRE', counter, wrong_life) == 0
redis.call('HSET', counter, field, tonumber(wrong or 0) + 1)
redis.call('HSET', wrong_attempts, unpack(fields))
if is_new then
  redis.call('PEXPIRE', wrong_attempts, remember)
end
if is_new_counter then
  redis.call('PEXPIRE', counter, wrong_life)
end
return 'incorrect'
