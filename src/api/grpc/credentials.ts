import type { SecureContextOptions } from "node:tls";
import { ServerCredentials } from "@grpc/grpc-js";
import type { Certificates } from "../../http/tls.js";

/** TLS for a gRPC listener. Renewed certificates apply to new connections. With `clientCa`, every client must present a certificate. */
export class TlsCredentials extends ServerCredentials {
  /** @param handshakeTimeout how long a TLS handshake may take, in milliseconds */
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
