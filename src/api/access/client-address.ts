import { isIP } from "node:net";
import parseForwarded from "forwarded-parse";
import ipaddr from "ipaddr.js";
import { LRUCache } from "lru-cache";
import type { ConnectionOwner } from "../../http/connections.js";
import type { Incoming } from "../rpc/incoming.js";

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** The trusted proxies: a number of hops next to the server, or networks. */
export type TrustedProxies = number | readonly (readonly [Address, number])[];

/** The name under which all clients with an unknown address count together. */
const UNKNOWN = "unknown";

/**
 * Finds the client in front of the trusted proxies by `X-Forwarded-For` and `Forwarded` (RFC 7239), starting at the nearest hop: an
 * entry is believed if the hop that added it is trusted. A proxy that writes one of the two headers passes the other one on
 * unchanged, so if both are present they must agree; otherwise the nearest hop counts as the client.
 *
 * @returns the network that the client counts as: an IPv4 address or the /64 of an IPv6 address
 */
export function clientNetwork(incoming: Incoming, proxies: TrustedProxies): string {
  const { address: nearest, network } = parse(incoming.peer ?? "");
  if (nearest === undefined) return UNKNOWN;
  if (!isTrusted(nearest, 0, proxies)) return network;
  const paths = [splitForwardedFor(incoming.header("x-forwarded-for")), splitForwarded(incoming.header("forwarded"))];
  const found = paths.filter((path) => path !== undefined).map((path) => networkOf(walk(nearest, path, proxies)));
  const [first = network, ...others] = found;
  return others.every((other) => other === first) ? first : network;
}

/** The owner of a connection, before any call says more: the network of its peer, and whether that is a trusted proxy. */
export function ownerOfConnection(peer: string | undefined, proxies: TrustedProxies): ConnectionOwner {
  const { address, network } = parse(peer ?? "");
  return { client: network, isProxy: address !== undefined && isTrusted(address, 0, proxies) };
}

/** The network that a trusted address counts as. @returns undefined if the text is not an IP address */
export function networkOfText(text: string): string | undefined {
  const { address, network } = parse(text);
  return address && network;
}

/** @param path the addresses that the hops recorded, the nearest last */
function walk(nearest: Address, path: readonly string[], proxies: TrustedProxies): Address {
  let current = nearest;
  for (const [hop, recorded] of path.toReversed().entries()) {
    const next = isTrusted(current, hop, proxies) ? parse(recorded).address : undefined;
    if (next === undefined) return current;
    current = next;
  }
  return current;
}

function isTrusted(address: Address, hop: number, proxies: TrustedProxies): boolean {
  if (typeof proxies === "number") return hop < proxies;
  return proxies.some(([network, bits]) => network.kind() === address.kind() && address.match(network, bits));
}

function splitForwardedFor(header: string | undefined): readonly string[] | undefined {
  return header?.split(",").map((entry) => entry.trim());
}

/** A malformed header counts as empty. */
function splitForwarded(header: string | undefined): readonly string[] | undefined {
  if (header === undefined) return undefined;
  try {
    return parseForwarded(header).map(({ for: node = "" }) => node);
  } catch {
    return [];
  }
}

/** A cache of parsed addresses, because a connection makes many calls and a proxy makes all of them. */
const cache = new LRUCache<string, Parsed>({
  max: 10_000,
  memoMethod: (text) => {
    const address = readAddress(text);
    return { address, network: address === undefined ? UNKNOWN : networkOf(address) };
  },
});

interface Parsed {
  readonly address: Address | undefined;
  /** The network that the address counts as. */
  readonly network: string;
}

const NO_ADDRESS: Parsed = { address: undefined, network: UNKNOWN };

function parse(text: string): Parsed {
  return text.length > MAX_ADDRESS_LENGTH ? NO_ADDRESS : cache.memo(text);
}

/** Includes brackets, a zone and a port. */
const MAX_ADDRESS_LENGTH = 100;

/** Parses an address that may have a port, brackets or a zone. An IPv4-mapped IPv6 address is the IPv4 address. */
function readAddress(text: string): Address | undefined {
  const bare = /^\[([^\]]*)\](?::\d+)?$/.exec(text)?.[1] ?? /^([\d.]+):\d+$/.exec(text)?.[1] ?? text;
  const [address = ""] = bare.split("%", 1);
  return isIP(address) === 0 ? undefined : ipaddr.process(address);
}

function networkOf(address: Address): string {
  if (address instanceof ipaddr.IPv4) return address.toString();
  return `${new ipaddr.IPv6([...address.parts.slice(0, 4), 0, 0, 0, 0]).toString()}/64`;
}
