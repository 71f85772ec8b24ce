-- The clock, and a name for everything that the scripts store. scripts.ts puts these definitions before each script that uses them.
--
-- The names in Redis are one letter long because each challenge is a hash of its own that stores them again. Never change a letter
-- or what it holds: during an upgrade, two versions share one Redis. Each name is a local, because looking it up in a table would
-- slow every script down. Each definition is one line, from which scripts.ts takes it.
--
-- In the comments below, a "time" is a Unix time and a "duration" is a length of time, both in milliseconds. Each value is a whole
-- number in decimal digits, unless the comment says otherwise.

-- The clock of Redis, which gives the seconds of the Unix time and the microseconds in this second, both in decimal digits.
local function now_ms() local clock = redis.call('TIME') return clock[1] * 1000 + math.floor(clock[2] / 1000) end -- time
local function exact_now_ms() local clock = redis.call('TIME') return clock[1] * 1000 + clock[2] / 1000 end -- time with fraction

-- The code of a challenge. Only the hash of the challenge has these fields. A script removes them once the code has been used or
-- replaced, or has expired.
local CODE_DIGEST = 'd' -- text: the keyed digest of the code, which Verify compares with
local CODE_SEALED = 'c' -- bytes: the encrypted code, which a resend decrypts
local CODE_WRONG = 'b' -- count: wrong attempts by address at this code, by callers without a key
local CODE_WRONG_KEYED = 'k' -- count: the same, by callers with a key

-- A request, which is one Generate. The request that made the last code of a challenge is its maker; its fields are in the hash of
-- the challenge. Every other request has its own hash, whose key is the key of the challenge, a colon and the request id.
local REQUEST_STAMP = 'm' -- bytes: when a worker took the request (TIME_FORMAT), then the id of the request that made its code
local REQUEST_LIFE = 'x' -- duration: from the stamp's time until the code expires
local REQUEST_SENDS = 'n' -- count: sends that have begun
local REQUEST_UNSETTLED = 'a' -- text: the name of the sender of the last send, while its result is unknown
local REQUEST_SENT = 's' -- duration: from the stamp's time until the message was sent
local REQUEST_DELIVERED = 'e' -- duration: from the stamp's time until the message was delivered
local REQUEST_FAILED = 'f' -- duration: from the stamp's time until the delivery failed
local REQUEST_FAILURE = 'w' -- text: why it failed
local REQUEST_VERIFIED = 'v' -- duration: from the stamp's time until the code was verified; only a maker has it
local REQUEST_RECEIPT = 'r' -- text: 'd' (delivered) or 'f' (failed), the first receipt for the send whose number follows the 'r'
local REQUEST_WRONG = 't' -- count: wrong attempts with the token of this request; can exist before the stamp
local TIME_FORMAT = '>I6' -- the struct format of a time in 6 bytes
local STAMP_MAKER = 7 -- the position of the request id in a stamp

-- The sends to a mailbox, for callers without a key or for callers with one: one string, oldest send first. At 28 bytes, a single send still fits Redis' most compact encoding.
local SEND_FORMAT = '>I6c8c14' -- the struct format of a send: its time, its purpose, the random part of its request id
local SEND_SIZE = 28 -- bytes
local SEND_REQUEST = 14 -- bytes before the random part of the request id

-- The consecutive wrong attempts at an address, whatever the purpose.
local ADDRESS_WRONG = 'n' -- count: wrong attempts since the last correct one
local ADDRESS_WRONG_KEYED = 'k' -- count: those among them by callers with a key
local ADDRESS_WAIT_UNTIL = 'u' -- time: no attempt by a caller without a key is judged before it
local ADDRESS_WAIT_UNTIL_KEYED = 'v' -- time: the same for callers with a key

-- In the same hash, a field named by the id of each client holds its consecutive wrong attempts at the address.
local PAIR_FORMAT = '^(%d+) (%d+) (%d+)$' -- wrong attempts, the time before which no attempt is judged, and when to forget both

-- An idempotency key.
local IDEMPOTENCY_PAYLOAD = 'p' -- text: the digest of the payload that the key was used with
local IDEMPOTENCY_REQUEST = 'r' -- text: the id of the request that holds the key
local IDEMPOTENCY_DONE = 'd' -- 1 once the request has been carried out; absent before
local IDEMPOTENCY_BUSY_UNTIL = 'u' -- time: until then the request counts as under way; absent once a server has put it down

-- The state of a sender.
local SENDER_WINDOW_FROM = 'w' -- time: when the window in which failures are counted began, with the first failure
local SENDER_FAILURES = 'c' -- count: failures in the window
local SENDER_MESSAGES = 'm' -- count: messages that the sender was given in the window
local SENDER_IS_OUT = 'o' -- 1 while the sender gets only probes, because it failed too often; absent otherwise
local SENDER_PROBE_FROM = 'u' -- time: no probe is sent before it
local SENDER_REFUSALS = 'r' -- count: how often in a row the sender has refused everything
local SENDER_PROBE_UNTIL = 'p' -- time: until then no further probe is sent, because one is under way
local SENDER_SLOWED_UNTIL = 's' -- time: until then the sender gets no messages, because it said that they come too fast
local SENDER_NEXT_TURN = 'g' -- time with three decimals: when the sender's pace allows the next message
local SENDER_NEXT_RETURN = 'k' -- time with three decimals: when the next message that is put off is to come back

-- A script writes only after every call that Redis may refuse, so a right that is missing leaves nothing half done. Redis checks the
-- rights of each call of a script, and undoes nothing: before other writes, a script tries the commands that follow, without effect.
local function may_hdel(key) redis.call('HDEL', key, '') end -- no hash has a field without a name
-- Writes, and undoes that if Redis refuses a part of it.
local function write_or_undo(write, undo) local ok, fault = pcall(write) if not ok then undo() error(fault, 0) end end

-- The channel where the scripts publish the key of each challenge that changes. changes.ts subscribes to it.
local CHANGES = 'otp:changes'
-- Without the right to this channel, watchers only learn of the change later.
local function publish(challenge) redis.pcall('PUBLISH', CHANGES, challenge) end
