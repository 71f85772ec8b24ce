import { BlockList, isIP } from "node:net";
import type { CleanedEnv } from "envalid";
import type { SERVER } from "./config.js";

type ServerConfig = CleanedEnv<typeof SERVER>;

/** What has to hold between the variables of the server. @returns a line for each problem, which names the variable */
export function serverProblems(config: ServerConfig): readonly string[] {
  const { HOST, API_KEYS, PUBLIC_RPCS } = config;
  const problems: string[] = [];
  if (!isLoopback(HOST) && API_KEYS.length === 0 && PUBLIC_RPCS.length === 0) {
    problems.push("HOST is an address that others can reach: set API_KEYS, or PUBLIC_RPCS for what anybody may call");
  }
  return problems;
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

/** Whether an address, or a host name in a URL, is this machine alone. */
export function isLoopback(host: string): boolean {
  const family = isIP(host);
  if (family === 0) return /^(?:[a-z0-9-]+\.)*localhost$/i.test(host);
  return LOOPBACK.check(host, family === 4 ? "ipv4" : "ipv6");
}
