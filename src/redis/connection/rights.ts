export type Binary = "server" | "worker";

/** The patterns of all keys, and the channel of the status feed. */
export const KEYS = { own: "otp:*", queue: "{otp}:*" } as const;
export const CHANNEL = "otp:changes";

const BOTH = ["ping", "info", "eval", "evalsha", "time", "publish"];

/** The commands of our scripts, by the binary that runs them. */
export const OWN: Readonly<Record<Binary, readonly string[]>> = {
  server: words("get set psetex pttl incrby del pexpire hget hgetall hmget hset hdel"),
  worker: words("del rename pexpire hgetall hmget hset hdel"),
};

/** The commands of BullMQ's scripts. Some belong to features that are not used, but BullMQ may come to use them. */
export const QUEUE: Readonly<Record<Binary, readonly string[]>> = {
  server: words(
    `del exists get hget hmget hmset hset incr llen lpos lpush lrange persist pttl rpush sadd scard set xadd zadd zrange zrem
    zrevrangebyscore zscore`,
  ),
  worker: words(
    `del exists get hdel hexists hget hgetall hincrby hmget hmset hset incr lindex llen lpush lrange lrem ltrim pexpire pttl rpop rpoplpush
    rpush sadd scard set smembers srem xadd xtrim zadd zcard zpopmin zrange zrangebyscore zrem zremrangebyrank zremrangebyscore zrevrange
    zrevrangebyscore zscore`,
  ),
};

const DIRECT: Readonly<Record<Binary, readonly string[]>> = {
  server: ["subscribe", "unsubscribe"],
  worker: ["bzpopmin"],
};

/** The commands that a binary needs, in alphabetical order. */
export function neededCommands(binary: Binary): readonly string[] {
  return [...new Set([...BOTH, ...OWN[binary], ...QUEUE[binary], ...DIRECT[binary]])].sort();
}

/** The rules of `ACL SETUSER` for the smallest user that a binary can use. */
export function smallestAcl(binary: Binary): string {
  const commands = neededCommands(binary).map((command) => `+${command}`);
  return ["resetkeys", `~${KEYS.own}`, `~${KEYS.queue}`, "resetchannels", `&${CHANNEL}`, "-@all", ...commands].join(
    " ",
  );
}

function words(text: string): readonly string[] {
  return text.split(/\s+/);
}
