import { hash, timingSafeEqual } from "node:crypto";
import type { Call } from "../../otp/caller/call.js";
import { OtpError } from "../../otp/errors.js";
import type { Incoming, KnownCaller } from "../rpc/incoming.js";
import { clientNetwork, networkOfText, type TrustedProxies } from "./client-address.js";
import { ClientBudget } from "./client-budget.js";

/** The header in which a backend names the client on whose behalf it calls. */
const CLIENT_IP_HEADER = "otp-client-ip";

/** An API key, known only by its SHA-256. */
export interface ApiKey {
  readonly name: string;
  /** 32 bytes. */
  readonly digest: Buffer;
}

/** Who may call what. Without keys, client certificates and public RPCs, anyone may call everything. */
export interface Access {
  readonly keys: readonly ApiKey[];
  /** Whether gRPC asks for client certificates. */
  readonly clientCertificates: boolean;
  /** Names of the RPCs that anyone may call, such as `Generate`. */
  readonly publicRpcs: readonly string[];
  readonly proxies: TrustedProxies;
  /** How many calls without a key a client may make per minute, whatever becomes of them; 0 for no limit. */
  readonly callsPerMinute: number;
}

/**
 * Identifies the caller and decides whether the call is allowed, in the same way on every protocol. Each protocol asks when the
 * head of a call has arrived, before it reads the message, so that a refused call costs little.
 */
export class Gate {
  private readonly isOpen: boolean;
  private readonly budget: ClientBudget | undefined;

  constructor(private readonly access: Access) {
    const { keys, clientCertificates, publicRpcs, callsPerMinute } = access;
    this.isOpen = keys.length === 0 && !clientCertificates && publicRpcs.length === 0;
    this.budget = callsPerMinute === 0 ? undefined : new ClientBudget(callsPerMinute);
  }

  /**
   * Counts a call for its client, whatever it asks for. Callers with a key or a certificate are not counted.
   *
   * @throws OtpError RATE_LIMITED
   */
  count(incoming: Incoming): void {
    if (this.budget === undefined || this.identify(incoming).name !== undefined) return;
    this.budget.spend(clientNetwork(incoming, this.access.proxies));
  }

  /**
   * @param rpc the RPC's name
   * @throws OtpError UNAUTHENTICATED, or INVALID_REQUEST for an `otp-client-ip` that is not an IP address
   */
  admit(rpc: string, incoming: Incoming): Call {
    incoming.admitted ??= this.check(rpc, incoming);
    return incoming.admitted;
  }

  private check(rpc: string, incoming: Incoming): Call {
    const { name, isWrong } = this.identify(incoming);
    // A caller that sends a key expects to be identified. Treating it as anonymous would hide that the key is wrong.
    if (isWrong) throw OtpError.unauthenticated("the API key is not valid");
    if (name === undefined) this.refuseStranger(rpc);
    const network = name === undefined ? clientNetwork(incoming, this.access.proxies) : namedClient(incoming);
    return { caller: { name, network }, onQuota: incoming.onQuota ?? (() => undefined) };
  }

  private refuseStranger(rpc: string): void {
    const { keys, publicRpcs } = this.access;
    if (this.isOpen || publicRpcs.includes(rpc)) return;
    throw OtpError.unauthenticated(
      keys.length > 0 ? "this call needs an API key: Authorization: Bearer <key>" : "this call is not public",
    );
  }

  private identify(incoming: Incoming): KnownCaller {
    incoming.knownCaller ??= this.findCaller(incoming);
    return incoming.knownCaller;
  }

  private findCaller(incoming: Incoming): KnownCaller {
    const { keys } = this.access;
    if (keys.length === 0) return { name: incoming.certificate, isWrong: false };
    const shown = readBearer(incoming.header("authorization"));
    if (shown === undefined) return STRANGER;
    const name = findKey(keys, shown);
    return { name, isWrong: name === undefined };
  }
}

const STRANGER: KnownCaller = { name: undefined, isWrong: false };

/**
 * Finds the key that a caller sent. Every key is compared, each in constant time, so the time reveals neither how much of a key
 * was right nor which key it was.
 *
 * @returns its name
 */
function findKey(keys: readonly ApiKey[], sent: string): string | undefined {
  const digest = hash("sha256", sent, "buffer");
  let found: string | undefined;
  for (const key of keys) if (timingSafeEqual(key.digest, digest)) found = key.name;
  return found;
}

/** Reads a bearer token (RFC 6750 §2.1); the scheme is case-insensitive (RFC 9110 §11.1). A malformed token matches no key. */
function readBearer(authorization: string | undefined): string | undefined {
  const match = /^Bearer(?:[ \t]+([^ \t].*)?)?$/is.exec(authorization ?? "");
  return match === null ? undefined : (match[1] ?? "");
}

/** The client on whose behalf an authenticated caller calls, if it names one. */
function namedClient(incoming: Incoming): string | undefined {
  const given = incoming.header(CLIENT_IP_HEADER);
  if (given === undefined) return undefined;
  const network = networkOfText(given);
  if (network !== undefined) return network;
  throw OtpError.invalid([{ field: CLIENT_IP_HEADER, description: "must be an IP address" }]);
}
