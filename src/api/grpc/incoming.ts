import type { PeerCertificate } from "node:tls";
import type { Metadata, ServerInterceptingCallInterface } from "@grpc/grpc-js";
import type { Call } from "../../otp/caller/call.js";
import type { Incoming, KnownCaller } from "../rpc/incoming.js";

/** The connection of a call, as interceptors and handlers know it. */
export type Connection = Pick<ServerInterceptingCallInterface, "getPeer" | "getAuthContext">;

/**
 * A call over gRPC. It is also the context by which grpc-js tells a handler who calls (`getAuthContext`): the interceptor puts it
 * there, so that the handler gets the call whose caller is already identified.
 */
export class GrpcIncoming implements Incoming {
  knownCaller: KnownCaller | undefined;
  admitted: Call | undefined;

  /** @param asksClients whether clients must present certificates */
  constructor(
    private readonly metadata: Metadata,
    private readonly connection: Connection,
    private readonly asksClients: boolean,
  ) {}

  header(name: string): string | undefined {
    const [first, ...others] = this.metadata.get(name);
    return others.length === 0 ? first?.toString() : [first, ...others].join(", ");
  }

  get peer(): string {
    return this.connection.getPeer().replace(/:\d+$/, "");
  }

  get certificate(): string | undefined {
    const certificate = this.asksClients ? this.connection.getAuthContext().sslPeerCertificate : undefined;
    return certificate && nameOf(certificate);
  }

  /** As in grpc-js's own context. */
  get transportSecurityType(): string {
    return this.connection.getAuthContext().transportSecurityType ?? "none";
  }
}

/** The common name, or the fingerprint of a certificate that has none. */
function nameOf({ subject, fingerprint256 }: PeerCertificate): string {
  return String(subject.CN ?? fingerprint256);
}
