import { createPrivateKey, X509Certificate } from "node:crypto";
import { EventEmitter } from "node:events";
import { readFileSync } from "node:fs";
import type { Logger } from "pino";

/** Where the certificate, its key and the authority of clients are; PEM. */
export interface TlsPaths {
  readonly cert: string;
  readonly key: string;
  readonly clientCa: string | undefined;
}

/** What stands in these files. */
export interface TlsMaterial {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly clientCa: Buffer | undefined;
}

const LOOK_MS = 1_000;

/**
 * The TLS files as they are now: `change` is emitted when others stand there. They are compared by content, so that a link
 * that is turned to another folder counts too; while they do not fit together, the last that did stay in use.
 */
export class TlsFiles extends EventEmitter<{ change: [] }> {
  private material: TlsMaterial;
  private readonly timer: NodeJS.Timeout;
  private lastProblem: string | undefined;

  /** @throws when they do not fit together; the message names the variable at fault */
  constructor(
    private readonly paths: TlsPaths,
    private readonly log: Logger,
  ) {
    super();
    this.material = readTls(paths);
    this.timer = setInterval(() => this.look(), LOOK_MS);
  }

  get current(): TlsMaterial {
    return this.material;
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private look(): void {
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
        this.log.warn({ problem }, "TLS files cannot be used: the last ones stay in use");
      this.lastProblem = problem;
    }
  }
}

/** Reads the files and sees that they fit together. @throws with a line that names the variable at fault, and no path */
export function readTls({ cert, key, clientCa }: TlsPaths): TlsMaterial {
  const material = {
    cert: read("TLS_CERT_FILE", cert),
    key: read("TLS_KEY_FILE", key),
    clientCa: clientCa === undefined ? undefined : read("TLS_CLIENT_CA_FILE", clientCa),
  };
  const certificate = parse("TLS_CERT_FILE must hold a certificate in PEM", () => new X509Certificate(material.cert));
  const privateKey = parse("TLS_KEY_FILE must hold a private key in PEM", () => createPrivateKey(material.key));
  if (!certificate.checkPrivateKey(privateKey)) throw new Error("TLS_KEY_FILE is not the key of TLS_CERT_FILE");
  const { clientCa: authority } = material;
  if (authority !== undefined) {
    parse("TLS_CLIENT_CA_FILE must hold a certificate in PEM", () => new X509Certificate(authority));
  }
  return material;
}

function read(variable: string, path: string): Buffer {
  return parse(`${variable} must be a file that can be read`, () => readFileSync(path));
}

function parse<T>(problem: string, run: () => T): T {
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
