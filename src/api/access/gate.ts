import type { Call } from "../../otp/caller/call.js";
import { OtpError } from "../../otp/errors.js";
import type { Incoming } from "../rpc/incoming.js";
import { type ApiKey, findKey } from "./api-keys.js";
import { clientNetwork, networkOfText, type TrustedProxies } from "./client-address.js";

/** The header in which a backend names the client that it calls for. */
const CLIENT_IP_HEADER = "otp-client-ip";

/** Who may call what. With neither keys nor client certificates nor public RPCs, everybody may call everything. */
export interface Access {
  readonly keys: readonly ApiKey[];
  /** Whether gRPC asks for client certificates. */
  readonly clientCertificates: boolean;
  /** Names of RPCs that anybody may call, as in `Generate`. */
  readonly publicRpcs: readonly string[];
  readonly proxies: TrustedProxies;
}

/** Tells who makes a call and whether they may: the same on every protocol. */
export class Gate {
  private readonly isOpen: boolean;

  constructor(private readonly access: Access) {
    const { keys, clientCertificates, publicRpcs } = access;
    this.isOpen = keys.length === 0 && !clientCertificates && publicRpcs.length === 0;
  }

  /**
   * @param rpc the RPC's name
   * @throws OtpError UNAUTHENTICATED, INVALID_REQUEST for an `otp-client-ip` that is no address
   */
  admit(rpc: string, incoming: Incoming): Call {
    const name = this.identify(rpc, incoming);
    const network = name === undefined ? clientNetwork(incoming, this.access.proxies) : namedClient(incoming);
    return { caller: { name, network }, onQuota: incoming.onQuota ?? (() => undefined) };
  }

  /** @returns the caller's name, or none for a stranger who may call this */
  private identify(rpc: string, incoming: Incoming): string | undefined {
    const { keys, publicRpcs } = this.access;
    if (keys.length === 0) {
      if (incoming.certificate !== undefined) return incoming.certificate;
    } else {
      const shown = readBearer(incoming.header("authorization"));
      const name = shown === undefined ? undefined : findKey(keys, shown);
      if (name !== undefined) return name;
      // Somebody who shows a key means to be known: to go on as a stranger would hide that it is wrong.
      if (shown !== undefined) throw OtpError.unauthenticated("the API key is not one of those known here");
    }
    if (this.isOpen || publicRpcs.includes(rpc)) return undefined;
    throw OtpError.unauthenticated(
      keys.length > 0 ? "this call needs an API key: Authorization: Bearer <key>" : "this call is not for everybody",
    );
  }
}

/** RFC 6750 §2.1; the scheme is read in any case (RFC 9110 §11.1). What follows it may be malformed: then it is no key. */
function readBearer(authorization: string | undefined): string | undefined {
  const match = /^Bearer(?:[ \t]+(.*))?$/i.exec(authorization ?? "");
  return match === null ? undefined : (match[1] ?? "");
}

/** Whom an authenticated caller calls for, if it says so. */
function namedClient(incoming: Incoming): string | undefined {
  const given = incoming.header(CLIENT_IP_HEADER);
  if (given === undefined) return undefined;
  const network = networkOfText(given);
  if (network !== undefined) return network;
  throw OtpError.invalid([{ field: CLIENT_IP_HEADER, description: "must be an IP address" }]);
}
