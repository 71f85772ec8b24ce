import { readFileSync } from "node:fs";
import type { Redis, Result } from "ioredis";
import { OtpError } from "../otp/errors.js";

type Argument = string | number | Buffer;

declare module "ioredis" {
  interface RedisCommander<Context>
    extends Record<Name | `${Name}Buffer`, (...keysAndArgs: readonly Argument[]) => Result<unknown, Context>> {}
}

/** The Lua scripts of this folder; each file says what its KEYS, ARGV and reply are. */
const FILES = {
  claimSend: "challenges/claim-send.lua",
  releaseSend: "challenges/release-send.lua",
  storeCode: "challenges/store-code.lua",
  attempt: "challenges/attempt.lua",
  beginRequest: "limits/take-idempotency-key.lua",
  settleRequest: "limits/settle-idempotency-key.lua",
  beginSend: "deliveries/begin-send.lua",
  reportSend: "deliveries/record-outcome.lua",
  readRequest: "deliveries/read-progress.lua",
  chooseSender: "sender-health/choose-sender.lua",
  reportSender: "sender-health/record-conduct.lua",
} as const;

type Name = keyof typeof FILES;
export type Script = (keys: readonly string[], args: readonly Argument[]) => Promise<unknown>;

interface Definition {
  /** How many keys it is called with; none if that differs from call to call. */
  readonly keyCount?: number;
  /** What it finds as local variables, being the same in each call: to pass it costs more than all that is done with it. */
  readonly constants?: Readonly<Record<string, number>>;
  /** Whether its replies hold text or bytes. */
  readonly replies?: "text" | "bytes";
}

/** Makes a script callable on this connection. It throws OtpError UNAVAILABLE when Redis cannot answer. */
export function defineScript(redis: Redis, name: Name, definition: Definition = {}): Script {
  const { keyCount, constants = {}, replies = "text" } = definition;
  const locals = Object.entries(constants).map(([constant, value]) => `local ${constant} = ${value}\n`);
  const lua = locals.join("") + readScript(FILES[name]);
  redis.defineCommand(name, keyCount === undefined ? { lua } : { lua, numberOfKeys: keyCount });
  const command = replies === "bytes" ? (`${name}Buffer` as const) : name;
  const run = redis[command].bind(redis);
  const fail = (error: unknown) => {
    throw asUnavailable(error);
  };
  if (keyCount === undefined) return (keys, args) => run(keys.length, ...keys, ...args).catch(fail);
  return (keys, args) => run(...keys, ...args).catch(fail);
}

export function readScript(file: string): string {
  return readFileSync(new URL(file, import.meta.url), "utf8");
}

export function asTuple(reply: unknown): readonly unknown[] {
  if (!Array.isArray(reply)) throw new Error("a script did not reply with a list");
  return reply;
}

/** What a command's failure is to callers. A script that is wrong stays what it is: a fault of our own. */
export function asUnavailable(error: unknown): unknown {
  return isOwnFault(error) ? error : OtpError.unavailable(error);
}

/** The state of a Redis that refuses for now. Redis 6 wraps it: "ERR Error running script (…): -OOM command not allowed". */
const PASSING = /\b(?:OOM|READONLY|LOADING|MISCONF|MASTERDOWN|CLUSTERDOWN|NOREPLICAS|BUSY)\b/;

/** A reply that says the script is wrong; a passing state and a lost connection are not that. */
function isOwnFault(error: unknown): boolean {
  if (!(error instanceof Error) || error.name !== "ReplyError") return false;
  return /^(?:ERR|WRONGTYPE|CROSSSLOT)\b/.test(error.message) && !PASSING.test(error.message);
}
