import type { CleanedEnv } from "envalid";
import { BOTH } from "./both.js";
import { RECEIPT_VARIABLES } from "./senders.js";
import { apiKeys, bool, integer, nameServers, oneOf, origins, path, proxies, someOf, testAddresses } from "./values.js";

/** The variables that the server reads. */
export const SERVER = {
  ...BOTH,
  ...RECEIPT_VARIABLES,
  GRPC_PORT: integer(0, 65_535)({ default: 50_051 }),
  HTTP_PORT: integer(0, 65_535)({ default: 8080 }),
  WEB: oneOf("on", "off")({ default: "off" }),
  TLS_CERT_FILE: path({ default: undefined }),
  TLS_KEY_FILE: path({ default: undefined }),
  TLS_CLIENT_CA_FILE: path({ default: undefined }),
  CORS_ORIGINS: origins({ default: [] }),
  API_KEYS: apiKeys({ default: [] }),
  PUBLIC_RPCS: someOf("Generate", "Verify", "Watch")({ default: [] }),
  TRUST_PROXY: proxies({ default: [] }),
  DNS_CHECK: oneOf("on", "off")({ default: "on" }),
  DNS_SERVERS: nameServers({ default: [] }),
  OTP_MAX_ATTEMPTS: integer(1, 1_000_000)({ default: 5 }),
  OTP_COOLDOWN_SECONDS: integer(0, 86_400)({ default: 30 }),
  OTP_SENDS_PER_HOUR: integer(0, 1_000_000)({ default: 5 }),
  OTP_SENDS_PER_DAY: integer(0, 1_000_000)({ default: 20 }),
  TEST_ADDRESSES: testAddresses({ default: [] }),
  ALLOW_TEST_ADDRESSES: bool({ default: false }),
  RATE_IP_PER_MINUTE: integer(0, 1_000_000_000)({ default: 10 }),
  RATE_IP_VERIFY_PER_MINUTE: integer(0, 1_000_000_000)({ default: 60 }),
  WATCHES_PER_IP: integer(0, 1_000_000)({ default: 50 }),
};

export type ServerConfig = CleanedEnv<typeof SERVER>;
