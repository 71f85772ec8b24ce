import { experimental, type ServerCredentials } from "@grpc/grpc-js";

/** What a listener needs for TLS, and to be told of when it changes. */
export interface Certificates {
  readonly current: {
    readonly cert: Buffer;
    readonly key: Buffer;
    /** Who signs the certificates of clients; none where clients need none. */
    readonly clientCa: Buffer | undefined;
  };
  on(event: "change", listener: () => void): unknown;
  off(event: "change", listener: () => void): unknown;
}

/** Credentials for a gRPC listener that follow the certificates; with `clientCa`, every client has to show one. */
export function grpcTlsCredentials(certificates: Certificates): ServerCredentials {
  const identity = new Listeners<experimental.IdentityCertificateUpdateListener>(certificates, (listener) => {
    const { cert, key } = certificates.current;
    listener({ certificate: cert, privateKey: key });
  });
  const authority = new Listeners<experimental.CaCertificateUpdateListener>(certificates, (listener) => {
    const { clientCa } = certificates.current;
    if (clientCa !== undefined) listener({ caCertificate: clientCa });
  });
  const provider: experimental.CertificateProvider = {
    addIdentityCertificateListener: (listener) => identity.add(listener),
    removeIdentityCertificateListener: (listener) => identity.remove(listener),
    addCaCertificateListener: (listener) => authority.add(listener),
    removeCaCertificateListener: (listener) => authority.remove(listener),
  };
  const asksClients = certificates.current.clientCa !== undefined;
  return experimental.createCertificateProviderServerCredentials(provider, asksClients ? provider : null, asksClients);
}

/** Tells each listener what is so now, once it has been added, and again with each change. */
class Listeners<L> {
  private readonly followers = new Map<L, () => void>();

  constructor(
    private readonly certificates: Certificates,
    private readonly tell: (listener: L) => void,
  ) {}

  add(listener: L): void {
    const follow = () => this.tell(listener);
    this.followers.set(listener, follow);
    this.certificates.on("change", follow);
    process.nextTick(follow);
  }

  remove(listener: L): void {
    const follow = this.followers.get(listener);
    if (follow === undefined) return;
    this.certificates.off("change", follow);
    this.followers.delete(listener);
  }
}
