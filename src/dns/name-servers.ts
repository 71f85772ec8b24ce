import { getServers } from "node:dns";
import type { NameServer } from "./exchange.js";

const DNS_PORT = 53;

/**
 * The resolvers to ask.
 *
 * @param given as in `192.0.2.53`, `192.0.2.53:5353`, `2001:db8::53` or `[2001:db8::53]:5353`; none: those of the system
 */
export function nameServers(given: readonly string[]): readonly NameServer[] {
  return (given.length > 0 ? given : getServers()).map((text) => {
    const [, bracketed, bare, port = DNS_PORT] = /^(?:\[(.+)\]|([\d.]+))(?::(\d+))?$/.exec(text) ?? [];
    return { address: bracketed ?? bare ?? text, port: Number(port) };
  });
}
