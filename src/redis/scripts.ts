import { readFileSync } from "node:fs";
import type { Redis, Result } from "ioredis";
import { OtpError } from "../otp/errors.js";

type Argument = string | number | Buffer;

declare module "ioredis" {
  interface RedisCommander<Context>
    extends Record<Name | `${Name}Buffer`, (...keysAndArgs: readonly Argument[]) => Result<unknown, Context>> {}
}

/** Each Lua script and its folder. `claimSend` is in `claim-send.lua`, which documents its KEYS, its ARGV and its reply. */
const FOLDERS = {
  beat: "connection",
  claimSend: "challenges",
  releaseSend: "challenges",
  storeCode: "challenges",
  attempt: "challenges",
  takeIdempotencyKey: "limits",
  settleIdempotencyKey: "limits",
  beginSend: "deliveries",
  recordOutcome: "deliveries",
  readProgress: "deliveries",
  chooseSender: "sender-health",
  recordConduct: "sender-health",
} as const;

type Name = keyof typeof FOLDERS;
export type Script = (keys: readonly string[], args: readonly Argument[]) => Promise<unknown>;

interface Definition {
  /** How many keys the script takes; undefined if that differs from call to call. */
  readonly keyCount?: number;
  /** Numbers that are the same in every call. The script has them as locals, which costs less than passing them. */
  readonly constants?: Readonly<Record<string, number>>;
  /** Whether its replies hold text or bytes. */
  readonly replies?: "text" | "bytes";
}

/** Makes a script callable on this connection. Each call throws OtpError UNAVAILABLE when Redis cannot answer. */
export function defineScript(redis: Redis, name: Name, definition: Definition = {}): Script {
  const { keyCount, constants = {}, replies = "text" } = definition;
  const lua = withLocals(readScript(fileOf(name)), [...preludeLocals(), ...constantLocals(constants)]);
  redis.defineCommand(name, keyCount === undefined ? { lua } : { lua, numberOfKeys: keyCount });
  const command = replies === "bytes" ? (`${name}Buffer` as const) : name;
  const run = redis[command].bind(redis);
  const fail = (error: unknown) => {
    throw asUnavailable(error);
  };
  if (keyCount === undefined) return (keys, args) => run(keys.length, ...keys, ...args).catch(fail);
  return (keys, args) => run(...keys, ...args).catch(fail);
}

function fileOf(name: Name): string {
  const words = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  return `${FOLDERS[name]}/${words}.lua`;
}

export function readScript(file: string): string {
  return readFileSync(new URL(file, import.meta.url), "utf8");
}

function preludeLocals(): readonly string[] {
  return readScript("prelude.lua").match(/^local .*?(?=\s*--|$)/gm) ?? [];
}

function constantLocals(constants: Readonly<Record<string, number>>): readonly string[] {
  return Object.entries(constants).map(([constant, value]) => `local ${constant} = ${value}`);
}

/**
 * Puts the locals that a script uses before it. All of them would add 0.15 µs to each call, 2 % of Redis' time. They are on the
 * script's first line, so that the line numbers in Redis' errors are those of the file.
 *
 * @param locals definitions, each of which uses none below it
 */
function withLocals(script: string, locals: readonly string[]): string {
  return locals.reduceRight((lua, local) => {
    const [, name] = /^local (?:function )?(\w+)/.exec(local) ?? [];
    const isUsed = new RegExp(`^(?:(?!--).)*\\b${name}\\b`, "m").test(lua);
    return isUsed ? `${local} ${lua}` : lua;
  }, script);
}

export function asTuple(reply: unknown): readonly unknown[] {
  if (!Array.isArray(reply)) throw new Error("a script did not reply with a list");
  return reply;
}

/** Turns the failure of a command into what callers get. A fault in a script stays as it is, because it is our own. */
export function asUnavailable(error: unknown): unknown {
  return isOwnFault(error) ? error : OtpError.unavailable(error);
}

/** A temporary state of Redis. Redis 6 wraps its name: "ERR Error running script (…): -OOM command not allowed". */
const TEMPORARY = /\b(?:OOM|READONLY|LOADING|MISCONF|MASTERDOWN|CLUSTERDOWN|NOREPLICAS|BUSY)\b/;

/** How Redis and Valkey say that a right is missing, or that a command does not exist, to a command and to a script. */
const FORBIDDEN =
  /\bNOPERM\b|The user executing the script can't|unknown command|[Uu]nknown \w+ command called|commands? is not allowed|non local key/i;

/** Whether Redis refused because its user has too few rights, or because a command has been renamed or disabled. */
export function isForbidden(error: unknown): boolean {
  return error instanceof Error && error.name === "ReplyError" && isForbiddenText(error.message);
}

export function isForbiddenText(message: string): boolean {
  return FORBIDDEN.test(message);
}

/** Whether the script itself is wrong, as opposed to a state or a setting of Redis or a lost connection. */
function isOwnFault(error: unknown): boolean {
  if (!(error instanceof Error) || error.name !== "ReplyError" || isForbidden(error)) return false;
  return /^(?:ERR|WRONGTYPE|CROSSSLOT)\b/.test(error.message) && !TEMPORARY.test(error.message);
}
