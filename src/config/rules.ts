import { BlockList, isIP } from "node:net";
import { SENDERS } from "../delivery/senders/registry.js";
import { readTls, type TlsPaths } from "../http/tls.js";
import { CHANNELS, type Channel } from "../otp/recipient/recipient.js";
import type { ServerConfig } from "./server.js";
import type { WorkerConfig } from "./worker.js";

/** Checks the rules that involve several variables of the server. @returns a line per problem, which names the variable */
export function serverProblems(config: ServerConfig): readonly string[] {
  return [...noChannel(config), ...openToAll(config), ...tlsProblems(config), ...testAddressProblems(config)];
}

/** Checks the rules that involve several variables of the worker. @returns a line per problem, which names the variable */
export function workerProblems(config: WorkerConfig): readonly string[] {
  const problemsOfSenders = Object.values(SENDERS).flatMap((sender) => sender.problems?.(config) ?? []);
  return [...noChannel(config), ...problemsOfSenders];
}

type Senders = Pick<ServerConfig, "EMAIL_SENDERS" | "SMS_SENDERS">;

function noChannel(config: Senders): string[] {
  return servedChannels(config).length > 0 ? [] : ["EMAIL_SENDERS or SMS_SENDERS must name a sender"];
}

/** The channels that have a sender. */
export function servedChannels({ EMAIL_SENDERS, SMS_SENDERS }: Senders): readonly Channel[] {
  const senders = { email: EMAIL_SENDERS, sms: SMS_SENDERS };
  return CHANNELS.filter((channel) => senders[channel].length > 0);
}

/** Finds settings that are valid but risky or useless. @returns a line per setting, which never repeats its value */
export function serverWarnings(config: ServerConfig): readonly string[] {
  const { TEST_ADDRESSES, EMAIL_SENDERS, SMS_SENDERS, PUBLIC_URL, ALLOWED_HOSTS } = config;
  const warnings: string[] = [];
  if (TEST_ADDRESSES.length > 0) {
    warnings.push(`TEST_ADDRESSES lets ${TEST_ADDRESSES.length} addresses in with fixed codes`);
  }
  const closed = isGuarded(config) ? PAGE_CALLS.filter((rpc) => !config.PUBLIC_RPCS.includes(rpc)) : [];
  if (config.WEB === "on" && closed.length > 0) {
    warnings.push(`WEB=on serves a page that may not call ${closed.join(", ")}: PUBLIC_RPCS does not name them`);
  }
  if (PUBLIC_URL !== undefined && ALLOWED_HOSTS.length > 0 && !ALLOWED_HOSTS.includes(new URL(PUBLIC_URL).hostname)) {
    warnings.push("ALLOWED_HOSTS does not name the host of PUBLIC_URL: receipts arrive only if a proxy replaces it");
  }
  for (const name of PUBLIC_URL === undefined ? [] : [...EMAIL_SENDERS, ...SMS_SENDERS]) {
    const missing = SENDERS[name].receipts?.missing(config) ?? [];
    if (missing.length > 0) warnings.push(`receipts from ${name} are not accepted without ${missing.join(" and ")}`);
  }
  return warnings;
}

/** Finds settings of the worker that are valid but risky. @returns a line per setting, which names the variable */
export function workerWarnings(config: WorkerConfig): readonly string[] {
  return [...config.EMAIL_SENDERS, ...config.SMS_SENDERS].flatMap((name) => SENDERS[name].warnings(config));
}

/** The RPCs that the page calls, without a key. */
const PAGE_CALLS = ["Generate", "Verify", "Watch"] as const;

/** Whether the configuration says who may call. */
function isGuarded({ API_KEYS, PUBLIC_RPCS, TLS_CLIENT_CA_FILE }: ServerConfig): boolean {
  return API_KEYS.length > 0 || PUBLIC_RPCS.length > 0 || TLS_CLIENT_CA_FILE !== undefined;
}

function openToAll(config: ServerConfig): string[] {
  if (isLoopback(config.HOST) || isGuarded(config)) return [];
  const guards = "API_KEYS, TLS_CLIENT_CA_FILE, or PUBLIC_RPCS for the RPCs that anyone may call";
  return [`HOST is an address that other machines can reach: set ${guards}`];
}

function testAddressProblems({ TEST_ADDRESSES, ALLOW_TEST_ADDRESSES, OTP_LENGTH }: ServerConfig): string[] {
  if (TEST_ADDRESSES.length === 0) return [];
  const problems: string[] = [];
  if (!ALLOW_TEST_ADDRESSES) {
    problems.push(
      "TEST_ADDRESSES lets in anyone who knows a fixed code: set ALLOW_TEST_ADDRESSES=true if that is intended",
    );
  }
  if (TEST_ADDRESSES.some(({ code }) => code.length !== OTP_LENGTH)) {
    problems.push("TEST_ADDRESSES must have codes with as many digits as OTP_LENGTH");
  }
  return problems;
}

function tlsProblems(config: ServerConfig): string[] {
  try {
    const paths = tlsPaths(config);
    if (paths !== undefined) readTls(paths);
    return [];
  } catch (error) {
    return [error instanceof Error ? error.message : String(error)];
  }
}

/** @returns undefined if TLS is off. @throws if one of its files is missing */
export function tlsPaths({ TLS_CERT_FILE, TLS_KEY_FILE, TLS_CLIENT_CA_FILE }: ServerConfig): TlsPaths | undefined {
  if (TLS_CERT_FILE !== undefined && TLS_KEY_FILE !== undefined) {
    return { cert: TLS_CERT_FILE, key: TLS_KEY_FILE, clientCa: TLS_CLIENT_CA_FILE };
  }
  if (TLS_CERT_FILE !== undefined) throw new Error("TLS_KEY_FILE is required with TLS_CERT_FILE");
  if (TLS_KEY_FILE !== undefined) throw new Error("TLS_CERT_FILE is required with TLS_KEY_FILE");
  if (TLS_CLIENT_CA_FILE !== undefined) throw new Error("TLS_CERT_FILE is required with TLS_CLIENT_CA_FILE");
  return undefined;
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

/** Whether the connection to this Redis crosses the network without encryption. */
export function isPlaintext(redisUrl: string): boolean {
  const { protocol, hostname } = new URL(redisUrl);
  return protocol === "redis:" && !isLoopback(hostname.replace(/^\[|\]$/g, ""));
}

/** Whether an address or a host name means only this machine. */
function isLoopback(host: string): boolean {
  const family = isIP(host);
  if (family === 0) return /^(?:[a-z0-9-]+\.)*localhost$/i.test(host);
  return LOOPBACK.check(host, family === 4 ? "ipv4" : "ipv6");
}
