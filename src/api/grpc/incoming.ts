import type { PeerCertificate } from "node:tls";
import type { Metadata, ServerInterceptingCallInterface } from "@grpc/grpc-js";
import type { Incoming, KnownCaller } from "../rpc/incoming.js";

/** The connection of a call, as interceptors and handlers know it. */
type Connection = Pick<ServerInterceptingCallInterface, "getPeer" | "getAuthContext">;

/**
 * The call that this metadata belongs to. It is the same object for interceptors and handlers, so the caller is identified once.
 *
 * @param asksClients whether clients must present certificates
 */
export function incomingOf(metadata: Metadata, connection: Connection, asksClients: boolean): Incoming {
  const known: unknown = Reflect.get(metadata, INCOMING);
  if (known instanceof GrpcIncoming) return known;
  const incoming = new GrpcIncoming(metadata, connection, asksClients);
  Reflect.set(metadata, INCOMING, incoming);
  return incoming;
}

/** A property costs less than an entry in a WeakMap, 1 µs per call. */
const INCOMING = Symbol("incoming");

/** A call over gRPC. */
class GrpcIncoming implements Incoming {
  knownCaller: KnownCaller | undefined;

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
