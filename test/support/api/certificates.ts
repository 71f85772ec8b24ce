import { generate } from "selfsigned";

/** A certificate and its key, PEM. */
export interface Pair {
  readonly cert: string;
  readonly key: string;
}

const named = (name: string) => [{ name: "commonName", value: name }];
const OPTIONS = { keyType: "ec", algorithm: "sha256" } as const;

/** An authority that signs the certificates below. */
export async function newAuthority(name: string): Promise<Pair> {
  const { cert, private: key } = await generate(named(name), {
    ...OPTIONS,
    extensions: [
      { name: "basicConstraints", cA: true, critical: true },
      { name: "keyUsage", keyCertSign: true, digitalSignature: true, critical: true },
    ],
  });
  return { cert, key };
}

/** A certificate for a server on 127.0.0.1, or for a client. */
export async function newCertificate(name: string, ca: Pair): Promise<Pair> {
  const { cert, private: key } = await generate(named(name), {
    ...OPTIONS,
    ca,
    extensions: [
      { name: "basicConstraints", cA: false },
      { name: "extKeyUsage", serverAuth: true, clientAuth: true },
      { name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] },
    ],
  });
  return { cert, key };
}
