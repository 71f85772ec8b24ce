import type { SecureContextOptions } from "node:tls";
import { ServerCredentials } from "@grpc/grpc-js";

/** What a listener needs for TLS, and to be told of when it changes. */
export interface Certificates {
  readonly current: {
    readonly cert: Buffer;
    readonly key: Buffer;
    /** Who signs the certificates of clients; none where clients need none. */
    readonly clientCa: Buffer | undefined;
  };
  on(event: "change", listener: () => void): unknown;
}

/** Credentials for a gRPC listener that follow the certificates; with `clientCa`, every client has to show one. */
export class TlsCredentials extends ServerCredentials {
  /** @param handshakeTimeout how long a connection may take to become a secure one, in milliseconds */
  constructor(certificates: Certificates, handshakeTimeout: number) {
    const requestCert = certificates.current.clientCa !== undefined;
    super({ requestCert, rejectUnauthorized: requestCert, handshakeTimeout }, contextOf(certificates));
    certificates.on("change", () => this.updateSecureContextOptions(contextOf(certificates)));
  }

  override _equals(other: ServerCredentials): boolean {
    return this === other;
  }
}

function contextOf({ current: { cert, key, clientCa } }: Certificates): SecureContextOptions {
  return { cert, key, ...(clientCa && { ca: clientCa }) };
}
