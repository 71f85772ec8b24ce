import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { describe, expect, it } from "vitest";
import { clientNetwork, networkOfText, type TrustedProxies } from "../../../src/api/access/client-address.js";

interface Case {
  readonly peer?: string;
  readonly xff?: string;
  readonly forwarded?: string;
}

function clientOf({ peer = "192.0.2.1", xff, forwarded }: Case, proxies: TrustedProxies): string {
  const headers: Record<string, string | undefined> = { "x-forwarded-for": xff, forwarded };
  return clientNetwork({ header: (name) => headers[name], peer }, proxies);
}

const NETWORKS: TrustedProxies = [
  [ipaddr.parse("192.0.2.0"), 24],
  [ipaddr.parse("2001:db8:aaaa::"), 48],
];

describe("the client of a call", () => {
  it.each<[string, Case, TrustedProxies, string]>([
    ["the peer when no proxy is trusted", { xff: "203.0.113.9", forwarded: "for=203.0.113.9" }, 0, "192.0.2.1"],
    [
      "the peer when it is not one of the proxies",
      { peer: "198.51.100.1", xff: "203.0.113.9" },
      NETWORKS,
      "198.51.100.1",
    ],
    ["the peer when a trusted proxy sends no header", {}, 1, "192.0.2.1"],
    ["the address that the one proxy added", { xff: "203.0.113.9" }, 1, "203.0.113.9"],
    [
      "the address that the proxy added, not one that the client sent",
      { xff: "10.9.9.9, 203.0.113.9" },
      1,
      "203.0.113.9",
    ],
    [
      "the address that the outer of two proxies added",
      { xff: "10.9.9.9, 203.0.113.9, 198.51.100.2" },
      2,
      "203.0.113.9",
    ],
    ["the first address when there are fewer hops than proxies", { xff: "203.0.113.9" }, 5, "203.0.113.9"],
    [
      "the last address that is not a proxy",
      { xff: "10.9.9.9, 203.0.113.9, 192.0.2.7, 192.0.2.8" },
      NETWORKS,
      "203.0.113.9",
    ],
    ["the first address when all are proxies", { xff: "192.0.2.6, 192.0.2.7" }, NETWORKS, "192.0.2.6"],
    ["the address that an IPv6 proxy added", { peer: "2001:db8:aaaa::1", xff: "203.0.113.9" }, NETWORKS, "203.0.113.9"],
    ["the address in Forwarded", { forwarded: "for=203.0.113.9;proto=https;by=192.0.2.1" }, 1, "203.0.113.9"],
    ["the last address in Forwarded", { forwarded: 'for=10.9.9.9, FOR="203.0.113.9:4711"' }, 1, "203.0.113.9"],
    [
      "the /64 of an IPv6 address in Forwarded",
      { forwarded: 'for="[2001:db8:1:2:3::4]:4711"' },
      1,
      "2001:db8:1:2::/64",
    ],
    [
      "the address in both headers when they agree",
      { xff: "203.0.113.9", forwarded: "for=203.0.113.9" },
      1,
      "203.0.113.9",
    ],
    ["the proxy when the headers disagree", { xff: "203.0.113.9", forwarded: "for=10.9.9.9" }, 1, "192.0.2.1"],
    ["the proxy when one header cannot be read", { xff: "203.0.113.9", forwarded: "for=;;=," }, 1, "192.0.2.1"],
    ["the proxy when it hides the client", { forwarded: "for=_hidden" }, 1, "192.0.2.1"],
    ["the proxy when it added something other than an address", { xff: "203.0.113.9, not an address" }, 1, "192.0.2.1"],
    ["an address without its port", { xff: "203.0.113.9:55555" }, 1, "203.0.113.9"],
    ["an IPv4 address that was written as IPv6", { peer: "::ffff:203.0.113.9" }, 0, "203.0.113.9"],
    [
      "the address that a proxy with an IPv4 address written as IPv6 added",
      { peer: "::ffff:192.0.2.1", xff: "203.0.113.9" },
      NETWORKS,
      "203.0.113.9",
    ],
    ["the /64 of an IPv6 address", { peer: "2001:db8:1:2:3:4:5:6" }, 0, "2001:db8:1:2::/64"],
    ["the /64 of an IPv6 address with a zone", { peer: "fe80::1%eth0" }, 0, "fe80::/64"],
  ])("is %s", (_what, given, proxies, expected) => {
    expect(clientOf(given, proxies)).toBe(expected);
  });

  it("is the same for all addresses of one /64, and another for the next /64", () => {
    expect(networkOfText("2001:db8:1:2::1")).toBe(networkOfText("2001:DB8:1:2:ffff:ffff:ffff:ffff"));
    expect(networkOfText("2001:db8:1:2::1")).not.toBe(networkOfText("2001:db8:1:3::1"));
  });

  it("is unknown when the connection has no address", () => {
    expect(clientNetwork({ header: () => "203.0.113.9", peer: undefined }, 1)).toBe("unknown");
  });

  it("cannot be changed by any header when no proxy is trusted", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (xff, forwarded) => {
        expect(clientOf({ xff, forwarded }, 0)).toBe("192.0.2.1");
        expect(clientOf({ peer: "198.51.100.1", xff, forwarded }, NETWORKS)).toBe("198.51.100.1");
      }),
    );
  });

  it("cannot be changed by any address before the one that the trusted proxy added", () => {
    const entry = fc.oneof(
      fc.ipV4(),
      fc.ipV6(),
      fc.string().map((text) => text.replaceAll(",", "")),
    );
    fc.assert(
      fc.property(fc.array(entry), (made) => {
        expect(clientOf({ xff: [...made, "203.0.113.9"].join(",") }, 1)).toBe("203.0.113.9");
        expect(clientOf({ xff: [...made, "203.0.113.9", "192.0.2.7"].join(",") }, NETWORKS)).toBe("203.0.113.9");
      }),
    );
  });
});

describe("an IP address", () => {
  it.each(["", "localhost", "1.2.3", "0x7f000001", "1.2.3.4/24", "::g", "1.2.3.4 5.6.7.8", "256.1.1.1"])(
    "cannot be read from %j",
    (text) => expect(networkOfText(text)).toBeUndefined(),
  );
});
