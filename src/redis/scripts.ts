import { readFileSync } from "node:fs";
import type { Redis, Result } from "ioredis";
import { OtpError } from "../otp/errors.js";

declare module "ioredis" {
  interface RedisCommander<Context> {
    claimSend(keyCount: number, ...keysAndArgs: (string | number)[]): Result<unknown, Context>;
    releaseSend(keyCount: number, ...keysAndArgs: (string | number)[]): Result<unknown, Context>;
    storeCode(keyCount: number, ...keysAndArgs: (string | number)[]): Result<unknown, Context>;
    beginRequest(keyCount: number, ...keysAndArgs: (string | number)[]): Result<unknown, Context>;
    settleRequest(keyCount: number, ...keysAndArgs: (string | number)[]): Result<unknown, Context>;
    attempt(keyCount: number, ...keysAndArgs: (string | number)[]): Result<unknown, Context>;
    beginSend(keyCount: number, ...keysAndArgs: (string | number)[]): Result<unknown, Context>;
    reportSend(keyCount: number, ...keysAndArgs: (string | number)[]): Result<unknown, Context>;
    readRequest(keyCount: number, ...keysAndArgs: (string | number)[]): Result<unknown, Context>;
    chooseSender(keyCount: number, ...keysAndArgs: (string | number)[]): Result<unknown, Context>;
    reportSender(keyCount: number, ...keysAndArgs: (string | number)[]): Result<unknown, Context>;
  }
}

/** The Lua scripts of this folder; each file says what its KEYS, ARGV and reply are. */
const FILES = {
  claimSend: "claim-send.lua",
  releaseSend: "release-send.lua",
  storeCode: "store-code.lua",
  attempt: "attempt.lua",
  beginRequest: "begin-request.lua",
  settleRequest: "settle-request.lua",
  beginSend: "begin-send.lua",
  reportSend: "report-send.lua",
  readRequest: "read-request.lua",
  chooseSender: "choose-sender.lua",
  reportSender: "report-sender.lua",
} as const;

type Name = keyof typeof FILES;
type Script = (keys: readonly string[], args: readonly (string | number)[]) => Promise<unknown>;
export type Scripts = Readonly<Record<Name, Script>>;

/** Makes the scripts callable on this connection. Each throws OtpError UNAVAILABLE when Redis cannot answer. */
export function defineScripts(redis: Redis): Scripts {
  const define = (name: Name): Script => {
    redis.defineCommand(name, { lua: readScript(FILES[name]) });
    return async (keys, args) => {
      try {
        return await redis[name](keys.length, ...keys, ...args);
      } catch (error) {
        throw asUnavailable(error);
      }
    };
  };
  return {
    claimSend: define("claimSend"),
    releaseSend: define("releaseSend"),
    storeCode: define("storeCode"),
    attempt: define("attempt"),
    beginRequest: define("beginRequest"),
    settleRequest: define("settleRequest"),
    beginSend: define("beginSend"),
    reportSend: define("reportSend"),
    readRequest: define("readRequest"),
    chooseSender: define("chooseSender"),
    reportSender: define("reportSender"),
  };
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
