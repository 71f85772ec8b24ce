import type { PeerCertificate } from "node:tls";
import type { Metadata, ServerInterceptingCallInterface } from "@grpc/grpc-js";
import type { Incoming } from "../rpc/incoming.js";

/** The connection of a call, as interceptors and handlers know it. */
type Connection = Pick<ServerInterceptingCallInterface, "getPeer" | "getAuthContext">;

/** A call over gRPC. */
export class GrpcIncoming implements Incoming {
  /** @param asksClients whether clients must present certificates */
  constructor(
    private readonly metadata: Metadata,
    private readonly connection: Connection,
    private readonly asksClients: boolean,
  ) {}

  header(name: string): string | undefined {
    const values = this.metadata.get(name);
    return values.length === 0 ? undefined : values.join(", ");
  }

  get peer(): string {
    return this.connection.getPeer().replace(/:\d+$/, "");
  }

  get certificate(): string | undefined {
    const certificate = this.asksClients ? this.connection.getAuthContext().sslPeerCertificate : undefined;
    return certificate && nameOf(certificate);
  }
}

/** The common name, or the fingerprint of a certificate that has none. */
function nameOf({ subject, fingerprint256 }: PeerCertificate): string {
  return String(subject.CN ?? fingerprint256);
}
