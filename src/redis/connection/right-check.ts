import type { Redis } from "ioredis";
import { isForbidden, isForbiddenText } from "../scripts.js";
import { type Binary, CHANNEL, KEYS, OWN, QUEUE } from "./rights.js";

/** Arguments with which a command changes nothing, because its key does not exist or because they are wrong. `k` is the key. */
const HARMLESS: Readonly<Record<string, string>> = {
  hdel: "k f",
  hexists: "k f",
  hget: "k f",
  hincrby: "k f x",
  hmget: "k f",
  hmset: "k f v x",
  hset: "k f v x",
  lindex: "k 0",
  incrby: "k x",
  lpos: "k e",
  lpush: "k e",
  lrange: "k 0 -1",
  lrem: "k 0 e",
  ltrim: "k 0 -1",
  pexpire: "k 1",
  psetex: "k 0 v",
  publish: `${CHANNEL} -`,
  rename: "k k",
  rpoplpush: "k k",
  rpush: "k e",
  sadd: "k m",
  set: "k v XX",
  srem: "k m",
  time: "",
  xadd: "k NOMKSTREAM * f v",
  xtrim: "k MAXLEN 0",
  zadd: "k XX 1 m",
  zrange: "k 0 -1",
  zrangebyscore: "k 0 1",
  zrem: "k m",
  zremrangebyrank: "k 0 -1",
  zremrangebyscore: "k 0 1",
  zrevrange: "k 0 -1",
  zrevrangebyscore: "k 1 0",
  zscore: "k m",
};

/**
 * Tries the commands of ARGV on KEYS[1], and replies with the error of each, or an empty text. A few create the key whatever their
 * arguments are, so they are tried only if the key can be deleted again.
 */
const TRY = `
  local may_delete = type(redis.pcall('DEL', KEYS[1])) == 'number'
  local creates = { incr = true, lpush = true, rpush = true, sadd = true }
  local errors = {}
  for i, line in ipairs(ARGV) do
    local words = {}
    for word in string.gmatch(line, '%S+') do words[#words + 1] = word == 'k' and KEYS[1] or word end
    local reply = (may_delete or not creates[words[1]]) and redis.pcall(unpack(words))
    errors[i] = type(reply) == 'table' and reply.err or ''
  end
  if may_delete then redis.call('DEL', KEYS[1]) end
  return errors`;

/**
 * Tries everything that a binary needs of Redis, without effect. Trying needs no right of its own, unlike `ACL DRYRUN`.
 *
 * @returns a sentence for each right that is missing
 */
export async function missingRights(redis: Redis, binary: Binary): Promise<readonly string[]> {
  const missing = new Set<string>();
  /** @returns the reply, or undefined if there is none */
  const attempt = async (command: string, run: () => Promise<unknown>, keys = ""): Promise<unknown> => {
    try {
      return await run();
    } catch (error) {
      if (error instanceof Error && isForbidden(error)) missing.add(sentenceFor(command, error.message, keys));
      return undefined;
    }
  };

  await attempt("ping", () => redis.ping());
  await attempt("evalsha", () => redis.evalsha("0".repeat(40), 0));
  const inScripts = [
    [KEYS.own, "otp:{rights}", [...OWN[binary], "time", "publish"]],
    [KEYS.queue, "{otp}:rights", QUEUE[binary]],
  ] as const;
  for (const [keys, key, commands] of inScripts) {
    const lines = commands.map((command) => `${command} ${HARMLESS[command] ?? "k"}`);
    const errors = await attempt("eval", () => redis.eval(TRY, 1, key, ...lines), keys);
    for (const [i, command] of commands.entries()) {
      const error = Array.isArray(errors) ? String(errors[i]) : "";
      if (isForbiddenText(error)) missing.add(sentenceFor(command, error, keys));
    }
  }
  if (binary === "worker") await attempt("bzpopmin", () => redis.bzpopmin("{otp}:rights", 0.01), KEYS.queue);
  else await tryToSubscribe(redis, attempt);
  return [...missing];
}

/** Includes connecting. */
const SUBSCRIBE_TIMEOUT_MS = 5_000;

/** A connection that subscribes can do nothing else, so this one is used only here. */
async function tryToSubscribe(
  redis: Redis,
  attempt: (command: string, run: () => Promise<unknown>) => Promise<unknown>,
): Promise<void> {
  const subscriber = redis.duplicate({
    retryStrategy: () => null,
    enableOfflineQueue: true,
    commandTimeout: SUBSCRIBE_TIMEOUT_MS,
  });
  subscriber.on("error", () => undefined);
  const count = await attempt("subscribe", () => subscriber.subscribe(CHANNEL));
  if (count !== undefined) await attempt("unsubscribe", () => subscriber.unsubscribe(CHANNEL));
  subscriber.disconnect();
}

function sentenceFor(command: string, error: string, keys: string): string {
  if (/unknown/i.test(error)) return `Redis has no command ${command.toUpperCase()}, which is needed`;
  if (/\bchannels?\b/.test(error)) return `the Redis user may not use the channel ${CHANNEL}: grant &${CHANNEL}`;
  if (/\bkeys?\b/.test(error)) return `the Redis user may not use the keys ${keys}: grant ~${keys}`;
  return `the Redis user may not run ${command.toUpperCase()}: grant +${command}`;
}
