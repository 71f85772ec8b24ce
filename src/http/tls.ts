import { createPrivateKey, X509Certificate } from "node:crypto";
import { EventEmitter } from "node:events";
import { readFileSync } from "node:fs";
import { createSecureContext } from "node:tls";
import type { Logger } from "pino";

/** Paths of the certificate, its key and the CA of client certificates; all PEM. */
export interface TlsPaths {
  readonly cert: string;
  readonly key: string;
  readonly clientCa: string | undefined;
}

/** The contents of these files. */
interface TlsMaterial {
  readonly cert: Buffer;
  readonly key: Buffer;
  /** The CA that signs client certificates; undefined if clients need none. */
  readonly clientCa: Buffer | undefined;
}

/** The TLS material of a listener, and an event when it changes. */
export interface Certificates {
  readonly current: TlsMaterial;
  on(event: "change", listener: () => void): unknown;
}

const POLL_MS = 1_000;

/**
 * The current contents of the TLS files; emits `change` when they change. Contents are compared, so redirecting a symbolic link
 * counts as a change. While the files do not match each other, the last valid ones stay in use.
 */
export class TlsFiles extends EventEmitter<{ change: [] }> implements Certificates {
  private material: TlsMaterial;
  private readonly timer: NodeJS.Timeout;
  private lastProblem: string | undefined;

  /** @throws when the files do not match each other; the message names the variable at fault */
  constructor(
    private readonly paths: TlsPaths,
    private readonly log: Logger,
  ) {
    super();
    this.material = readTls(paths);
    this.timer = setInterval(() => this.poll(), POLL_MS);
  }

  get current(): TlsMaterial {
    return this.material;
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private poll(): void {
    try {
      const found = readTls(this.paths);
      this.lastProblem = undefined;
      if (isSame(found, this.material)) return;
      this.material = found;
      this.log.info("TLS files reloaded");
      this.emit("change");
    } catch (error) {
      const problem = error instanceof Error ? error.message : String(error);
      if (problem !== this.lastProblem)
        this.log.warn({ problem }, "the TLS files are not usable, the last valid ones stay in use");
      this.lastProblem = problem;
    }
  }
}

/** Reads the files and checks that they match. @throws an error that names the variable at fault, and no path */
export function readTls(paths: TlsPaths): TlsMaterial {
  const cert = read("TLS_CERT_FILE", paths.cert);
  const key = read("TLS_KEY_FILE", paths.key);
  const clientCa = paths.clientCa === undefined ? undefined : read("TLS_CLIENT_CA_FILE", paths.clientCa);

  const certificate = parseCertificates("TLS_CERT_FILE", cert);
  const privateKey = tryTo("TLS_KEY_FILE must hold a private key in PEM", () => createPrivateKey(key));
  if (!certificate.checkPrivateKey(privateKey)) throw new Error("TLS_KEY_FILE is not the key of TLS_CERT_FILE");
  if (clientCa !== undefined) parseCertificates("TLS_CLIENT_CA_FILE", clientCa);
  tryTo("TLS_CERT_FILE must hold a certificate that TLS can use", () => createSecureContext({ cert, key }));
  return { cert, key, clientCa };
}

/** Requires every certificate in a file to be whole, because TLS ignores everything after a broken one. @returns the first */
function parseCertificates(variable: string, pem: Buffer): X509Certificate {
  const text = pem.toString("latin1");
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  const problem = `${variable} must hold certificates in PEM, each of them whole`;
  const [first] = tryTo(problem, () => blocks.map((block) => new X509Certificate(block)));
  if (first === undefined || blocks.length !== text.split("-----BEGIN CERTIFICATE-----").length - 1)
    throw new Error(problem);
  return first;
}

function read(variable: string, path: string): Buffer {
  return tryTo(`${variable} must be a file that can be read`, () => readFileSync(path));
}

function tryTo<T>(problem: string, run: () => T): T {
  try {
    return run();
  } catch {
    throw new Error(problem);
  }
}

function isSame(a: TlsMaterial, b: TlsMaterial): boolean {
  const isClientCaSame =
    a.clientCa === undefined || b.clientCa === undefined ? a.clientCa === b.clientCa : a.clientCa.equals(b.clientCa);
  return a.cert.equals(b.cert) && a.key.equals(b.key) && isClientCaSame;
}
