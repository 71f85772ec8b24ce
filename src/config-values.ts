import { isIP } from "node:net";
import { makeValidator } from "envalid";
import { LOG_LEVELS, type LogLevel } from "./log.js";
import { parseEmail } from "./otp/recipient.js";

/** Says what a value must be. The value itself is never repeated. */
export class BadValue extends Error {}

export const integer = (least: number, most: number) =>
  makeValidator<number>((input) => {
    const value = Number(input);
    if (!/^\d+$/.test(input) || value < least || value > most) {
      throw new BadValue(`must be a whole number from ${least} to ${most}`);
    }
    return value;
  });

function isDecodable(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

/** A path is allowed for the number of a Redis database alone. */
export const url = (...protocols: string[]) =>
  makeValidator<string>((input) => {
    const parsed = URL.canParse(input) ? new URL(input) : undefined;
    const isWhole = parsed !== undefined && protocols.includes(parsed.protocol) && parsed.hostname !== "";
    if (!isWhole || !/^\/?\d*$/.test(parsed.pathname) || !isDecodable(parsed.username + parsed.password)) {
      throw new BadValue(`must be a URL that starts with ${protocols.map((name) => `${name}//`).join(" or ")}`);
    }
    return input;
  });

export const logLevel = makeValidator<LogLevel>((input) => {
  const level = LOG_LEVELS.find((name) => name === input);
  if (level === undefined) throw new BadValue(`must be one of ${LOG_LEVELS.join(", ")}`);
  return level;
});

export const host = makeValidator<string>((input) => {
  if (!isIP(input) && !/^[a-z0-9-]+(?:\.[a-z0-9-]+)*$/i.test(input))
    throw new BadValue("must be an address or host name");
  return input;
});

const MIN_SECRET = 32;

export const secrets = makeValidator<[string, ...string[]]>((input) => {
  const [first, ...others] = input.split(",").map((secret) => secret.trim());
  if (first === undefined || [first, ...others].some(({ length }) => length < MIN_SECRET)) {
    throw new BadValue(`must be secrets of at least ${MIN_SECRET} characters, separated by commas`);
  }
  return [first, ...others];
});

export const mailFrom = makeValidator<{ name: string; address: string }>((input) => {
  const match = /^(?:([^<>"\p{Cc}]*)<([^<>]+)>|([^<>\s]+))$/u.exec(input.trim());
  const address = parseEmail(match?.[2] ?? match?.[3] ?? "")?.address;
  if (match === null || address === undefined) throw new BadValue("must be an address, as in Name <name@example.com>");
  return { name: match[1]?.trim() || address.slice(address.lastIndexOf("@") + 1), address };
});

export const origins = makeValidator<readonly string[]>((input) => {
  const list = input.split(",").map((origin) => origin.trim());
  const isOrigin = (text: string) => text === "*" || (URL.canParse(text) && new URL(text).origin === text);
  if (!list.every(isOrigin)) throw new BadValue("must be origins such as https://app.example.com, separated by commas");
  return list;
});
