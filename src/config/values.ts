import { isIP } from "node:net";
import { makeValidator } from "envalid";
import ipaddr from "ipaddr.js";
import { LOG_LEVELS, type LogLevel } from "../log.js";
import { parseEmail } from "../otp/recipient/email-address.js";
import { parsePhone } from "../otp/recipient/phone-number.js";
import type { TestAddress } from "../otp/recipient/test-addresses.js";

/** A value is not valid. The message says what it must be, and never repeats the value. */
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

/** A URL of a server. Its path may only be the number of a Redis database. */
export const url = (...protocols: string[]) =>
  makeValidator<string>((input) => {
    if (!isUrlOf(protocols, input)) {
      throw new BadValue(`must be a URL that starts with ${protocols.map((name) => `${name}//`).join(" or ")}`);
    }
    return input;
  });

/** Whether a text is the URL of a server: a host, and perhaps a login, a port, a number as its path and a query. */
export function isUrlOf(protocols: readonly string[], text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, pathname, username, password } = new URL(text);
  const isWhole = protocols.includes(protocol) && hostname !== "" && /^\/?\d*$/.test(pathname);
  return isWhole && isDecodable(username + password);
}

export const logLevel = makeValidator<LogLevel>((input) => {
  const level = LOG_LEVELS.find((name) => name === input);
  if (level === undefined) throw new BadValue(`must be one of ${LOG_LEVELS.join(", ")}`);
  return level;
});

export const host = makeValidator<string>((input) => {
  if (!isIP(input) && !/^[a-z0-9-]+(?:\.[a-z0-9-]+)*$/i.test(input))
    throw new BadValue("must be an IP address or a host name");
  return input;
});

/** Host names in lower case, as browsers write them. An IPv6 address has brackets. */
export const hostNames = makeValidator<readonly string[]>((input) =>
  split(input).map((entry) => {
    const name = entry.toLowerCase();
    const isHost = /^(?:[\w-]+(?:\.[\w-]+)*|\[[\da-f:.]+\])$/.test(name);
    if (!isHost || !URL.canParse(`http://${name}`) || new URL(`http://${name}`).hostname !== name) {
      throw new BadValue("must be host names such as otp.example.com or [::1], without a port, separated by commas");
    }
    return name;
  }),
);

/** The path of a file or folder. Whoever reads the file checks its content. */
export const path = makeValidator<string>((input) => input);

/** The parts of a list that is separated by commas. */
export const split = (input: string) => input.split(",").map((part) => part.trim());

export const mailFrom = makeValidator<{ name: string; address: string }>((input) => {
  const match = /^(?:([^<>"\p{Cc}]*)<([^<>]+)>|([^<>\s]+))$/u.exec(input.trim());
  const address = parseEmail(match?.[2] ?? match?.[3] ?? "")?.address;
  if (match === null || address === undefined) throw new BadValue("must be an address such as Name <name@example.com>");
  return { name: match[1]?.trim() || address.slice(address.lastIndexOf("@") + 1), address };
});

/** A list of these names in any order, each at most once; or `none`. */
export const someOf = <Name extends string>(...names: readonly Name[]) =>
  makeValidator<readonly Name[]>((input) => {
    if (input.trim() === "none") return [];
    const given = split(input);
    const list = given.flatMap((text) => names.filter((name) => name === text));
    if (list.length < given.length || new Set(list).size < list.length) {
      throw new BadValue(`must be a list of ${names.join(", ")}, each at most once, separated by commas; or none`);
    }
    return list;
  });

export const oneOf = <Name extends string>(...names: readonly Name[]) =>
  makeValidator<Name>((input) => {
    const name = names.find((one) => one === input);
    if (name === undefined) throw new BadValue(`must be ${names.join(" or ")}`);
    return name;
  });

/** Any text, for example a name or a key. */
export const text = makeValidator<string>((input) => input.trim());

/** An HTTP or HTTPS URL, unchanged. */
export const httpUrl = makeValidator<string>((input) => {
  const parsed = URL.canParse(input) ? new URL(input) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol) || parsed.username !== "" || parsed.hash !== "") {
    throw new BadValue("must be a URL that starts with https:// or http://, without a login or a fragment");
  }
  return input.trim();
});

/** An HTTP or HTTPS URL to which paths are appended. A slash at its end is removed. */
export const baseUrl = makeValidator<string>((input) => {
  const parsed = URL.canParse(input) ? new URL(input) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol) || !/^[^?#@]*$/.test(input)) {
    throw new BadValue("must be a URL that starts with https:// or http://, without a login, a query or a fragment");
  }
  return input.trim().replace(/\/+$/, "");
});

/** A host name in lower-case ASCII, as the last line of an SMS shows it. */
export const domain = makeValidator<string>((input) => {
  if (!/^(?:[a-z0-9-]+\.)+[a-z0-9-]+$/.test(input)) throw new BadValue("must be a host name such as example.com");
  return input;
});

/** The SID of a Twilio account. It becomes part of a URL. */
export const accountSid = makeValidator<string>((input) => {
  if (!/^AC[\da-f]{32}$/i.test(input)) throw new BadValue("must be AC followed by 32 hexadecimal digits");
  return input;
});

/** Messages per second, decimals allowed; 0 means no limit. */
export const rate = makeValidator<number>((input) => {
  const value = Number(input);
  if (!/^\d+(?:\.\d+)?$/.test(input) || value > 100_000) throw new BadValue("must be a number from 0 to 100000");
  return value;
});

const MOST_HOPS = 32;

/** A number of hops, or networks in CIDR notation. A single address is a network with one member. */
export const proxies = makeValidator<number | readonly (readonly [ipaddr.IPv4 | ipaddr.IPv6, number])[]>((input) => {
  if (/^\d+$/.test(input) && Number(input) <= MOST_HOPS) return Number(input);
  return split(input).map((entry) => {
    const [address = "", bits] = entry.split("/");
    const isNetwork = isIP(address) !== 0 && (bits === undefined || (ipaddr.isValidCIDR(entry) && Number(bits) > 0));
    if (!isNetwork) {
      throw new BadValue(
        `must be a number of hops up to ${MOST_HOPS}, or networks such as 10.0.0.0/8, separated by commas`,
      );
    }
    const parsed = ipaddr.parse(address);
    return [parsed, bits === undefined ? parsed.toByteArray().length * 8 : Number(bits)];
  });
});

/** DNS resolvers, each an IP address with or without a port. */
export const nameServers = makeValidator<readonly string[]>((input) => {
  const list = split(input);
  const isResolver = (entry: string) => {
    const [, bracketed, bare, port = "53"] = /^(?:\[([^\]]+)\]|([\d.]+))(?::([1-9]\d{0,4}))?$/.exec(entry) ?? [];
    return isIP(bracketed ?? bare ?? entry) !== 0 && Number(port) <= 65_535;
  };
  if (!list.every(isResolver)) {
    throw new BadValue("must be DNS resolvers such as 192.0.2.53 or [2001:db8::53]:53, separated by commas");
  }
  return list;
});

export const bool = makeValidator<boolean>((input) => {
  if (input !== "true" && input !== "false") throw new BadValue("must be true or false");
  return input === "true";
});

/** Entries of the form `address=code`, separated by commas. */
export const testAddresses = makeValidator<readonly TestAddress[]>((input) =>
  split(input).map((entry) => {
    const [, address = "", code = ""] = /^(.+)=(\d+)$/.exec(entry) ?? [];
    const recipient = parseEmail(address) ?? parsePhone(address);
    if (recipient === undefined) {
      throw new BadValue("must be addresses with their codes, such as alice@test.example=123456, separated by commas");
    }
    return { recipient, code };
  }),
);
