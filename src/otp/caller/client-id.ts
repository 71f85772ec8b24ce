import ipaddr from "ipaddr.js";
import { LRUCache } from "lru-cache";
import type { Keyring } from "../crypto/keyring.js";
import { hmac } from "../crypto/mac.js";
import type { Caller } from "./call.js";

/** How many ids are cached. */
const CACHED_IDS = 10_000;

const IPV4_NETWORK_BITS = 24;
const IPV6_NETWORK_BITS = 48;

/** Names clients as the store knows them: an HMAC of 16 bytes in base64url. */
export class ClientIds {
  private readonly ofAddresses: LRUCache<string, string>;
  private readonly ofNetworks: LRUCache<string, string>;

  constructor([keys]: Keyring) {
    const id = (text: string) => hmac(keys.client, text).toString("base64url", 0, 16);
    this.ofAddresses = new LRUCache({ max: CACHED_IDS, memoMethod: id });
    const memoMethod = (caller: string) => {
      const [name = "", network = ""] = caller.split("\0");
      return id(`network\0${name}\0${network && networkAround(network)}`);
    };
    this.ofNetworks = new LRUCache({ max: CACHED_IDS, memoMethod });
  }

  /** The client that the limits per client address count. @param network an IPv4 address or an IPv6 /64 */
  ofAddress(network: string): string {
    return this.ofAddresses.memo(network);
  }

  /**
   * The client that wrong attempts at an address are counted for: the IPv4 /24 or IPv6 /48 around the caller's address, because
   * changing one's address within such a network is easy. A backend that does not name its client counts as one client.
   */
  ofNetwork({ name, network }: Caller): string {
    return this.ofNetworks.memo(`${name ?? ""}\0${network ?? ""}`);
  }
}

/** @param network an IPv4 address, an IPv6 network, or the name of clients with an unknown address */
function networkAround(network: string): string {
  const [address = ""] = network.split("/", 1);
  if (!ipaddr.isValid(address)) return network;
  const parsed = ipaddr.parse(address);
  return parsed instanceof ipaddr.IPv4
    ? ipaddr.IPv4.networkAddressFromCIDR(`${address}/${IPV4_NETWORK_BITS}`).toString()
    : ipaddr.IPv6.networkAddressFromCIDR(`${address}/${IPV6_NETWORK_BITS}`).toString();
}
