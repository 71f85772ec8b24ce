import type { CleanedEnv } from "envalid";
import { BOTH } from "./both.js";
import { origins } from "./origins.js";
import { apiKeys } from "./secrets.js";
import { RECEIPT_VARIABLES } from "./senders.js";
import { bool, hostNames, integer, nameServers, oneOf, path, proxies, someOf, testAddresses } from "./values.js";

/** The variables that only the server reads, in the groups of docs/configuration.md. */
export const SERVER_GROUPS = {
  listeners: {
    GRPC_PORT: integer(
      0,
      65_535,
    )({
      default: 50_051,
      desc: "The port for gRPC, 0 to 65535, with reflection and `grpc.health.v1`.",
    }),
    HTTP_PORT: integer(
      0,
      65_535,
    )({
      default: 8080,
      desc: "The port for plain HTTP, Connect, gRPC-Web and the health routes, 0 to 65535.",
    }),
    TLS_CERT_FILE: path({
      default: undefined,
      desc: "The file with the certificate of both listeners, in PEM. The server reads it again when it changes. Without it, the listeners use no TLS.",
      example: "/run/secrets/tls.crt",
    }),
    TLS_KEY_FILE: path({
      default: undefined,
      desc: "The file with the private key of that certificate, in PEM. The server reads it again when it changes.",
      example: "/run/secrets/tls.key",
    }),
    TLS_CLIENT_CA_FILE: path({
      default: undefined,
      desc: "The file with the certificate of the authority that signs client certificates, in PEM. Once set, every gRPC client needs such a certificate.",
    }),
    DRAIN_SECONDS: integer(
      0,
      3_600,
    )({
      default: 5,
      desc: "How long the server goes on serving after SIGTERM while it already reports that it is not ready, in seconds, 0 to 3600, so that load balancers stop sending calls before it closes. SIGINT or a second signal skips this pause.",
    }),
    WEB: oneOf(
      "on",
      "off",
    )({
      default: "off",
      desc: "`on`: serve the page that requests a code and verifies it, at `/`. `npm start` and `.env.example` set `on`.",
    }),
  },
  access: {
    API_KEYS: apiKeys({
      default: [],
      desc: "The API keys of callers, each as `name:sha256-of-key`, separated by commas; `countersign-server new-key NAME` makes one. Once set, every call needs a key, except for the RPCs in `PUBLIC_RPCS`.",
    }),
    PUBLIC_RPCS: someOf(
      "Generate",
      "Verify",
      "Watch",
    )({
      default: [],
      desc: "RPCs that anyone may call, within the limits per client address, separated by commas: `Generate`, `Verify`, `Watch`. Once set, the other RPCs need a key or a client certificate.",
    }),
    CORS_ORIGINS: origins({
      default: [],
      desc: "Origins whose pages may call the server from a browser, separated by commas: of websites, of apps (`capacitor://localhost`) and of browser extensions (`chrome-extension://…`). `https://*.example.com` allows all subdomains of `example.com`, at any depth, but not `example.com` itself and no other port. `*` allows all origins.",
      example: "https://app.example.com,https://*.example.org,capacitor://localhost",
      docs: "https://developer.mozilla.org/docs/Web/HTTP/Guides/CORS",
    }),
    ALLOWED_HOSTS: hostNames({
      default: [],
      desc: "Host names that HTTP requests may be for, without ports, separated by commas. A request for another host gets status 421, except for the health routes. Set it where browsers can reach the server without TLS, against DNS rebinding. A proxy in front must pass on the host name or replace it with one of these. Without it, a request may be for any host. `npm start` sets `localhost`, `127.0.0.1` and `[::1]`.",
      example: "otp.example.com",
      docs: "https://en.wikipedia.org/wiki/DNS_rebinding",
    }),
    TRUST_PROXY: proxies({
      default: [],
      desc: "Reverse proxies whose `Forwarded` and `X-Forwarded-For` headers are trusted: a number of hops, 0 to 32, or networks separated by commas.",
      example: "10.0.0.0/8,192.0.2.1",
    }),
    RATE_IP_PER_MINUTE: integer(
      0,
      1_000_000_000,
    )({
      default: 10,
      desc: "How many calls of Generate one client address (IPv6: one /64) may make per minute, 0 to 1000000000; 0 turns the limit off.",
    }),
    RATE_IP_VERIFY_PER_MINUTE: integer(
      0,
      1_000_000_000,
    )({
      default: 60,
      desc: "How many calls of Verify one client address (IPv6: one /64) may make per minute, 0 to 1000000000; 0 turns the limit off.",
    }),
    WATCHES_PER_IP: integer(
      0,
      1_000_000,
    )({
      default: 50,
      desc: "How many streams of Watch one client address (IPv6: one /64) may have open at the same time, 0 to 1000000; 0 turns the limit off.",
    }),
  },
  codes: {
    OTP_MAX_ATTEMPTS: integer(
      1,
      1_000_000,
    )({
      default: 5,
      desc: "How many wrong attempts end a token, or a code if it is verified by address, 1 to 1000000.",
    }),
    OTP_COOLDOWN_SECONDS: integer(
      0,
      86_400,
    )({
      default: 30,
      desc: "The shortest time between two sends to one address for one purpose, in seconds, 0 to 86400; 0 turns the limit off.",
    }),
    OTP_SENDS_PER_HOUR: integer(
      0,
      1_000_000,
    )({
      default: 5,
      desc: "How many codes may be sent to one address for one purpose within any hour, 0 to 1000000; 0 turns the limit off.",
    }),
    OTP_SENDS_PER_DAY: integer(
      0,
      1_000_000,
    )({
      default: 20,
      desc: "How many codes may be sent to one address for one purpose within any day, 0 to 1000000; 0 turns the limit off.",
    }),
  },
  recipients: {
    DNS_CHECK: oneOf(
      "on",
      "off",
    )({
      default: "on",
      desc: "`on`: refuse an email address at `localhost`, at a name without a dot, or at a domain that accepts no mail according to DNS. `npm start` and `.env.example` set `off`.",
    }),
    DNS_SERVERS: nameServers({
      default: [],
      desc: "DNS resolvers to ask, separated by commas. Without it, the server asks the system's resolvers.",
      example: "192.0.2.53,[2001:db8::53]:53",
    }),
    TEST_ADDRESSES: testAddresses({
      default: [],
      desc: "Addresses with a fixed code, `address=code`, separated by commas, to test software that calls Countersign. Nothing is sent to them and no limit applies to them, not even to wrong attempts: anyone who knows or guesses such a code gets in.",
      example: "alice@test.example=123456",
    }),
    ALLOW_TEST_ADDRESSES: bool({ default: false, desc: "`true`: confirm that `TEST_ADDRESSES` is set on purpose." }),
  },
};

/** The variables that the server reads. */
export const SERVER = {
  ...BOTH,
  ...SERVER_GROUPS.listeners,
  ...SERVER_GROUPS.access,
  ...SERVER_GROUPS.codes,
  ...SERVER_GROUPS.recipients,
  ...RECEIPT_VARIABLES,
};

export type ServerConfig = CleanedEnv<typeof SERVER>;
