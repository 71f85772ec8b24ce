import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../../../dev/private-redis.js";
import { findOrInstall, type Program } from "../../../dev/programs.js";
import { newAuthority, newCertificate } from "../api/certificates.js";
import type { Listening } from "../clients/callers.js";

export const PROXIES = ["nginx", "haproxy"] as const;
export type ProxyName = (typeof PROXIES)[number];

const PROGRAMS: Readonly<Record<ProxyName, Program>> = {
  nginx: {
    title: "nginx",
    names: ["nginx"],
    path: "/usr/sbin/nginx",
    packages: { apt: "nginx", brew: "nginx" },
    isService: true,
    variable: "NGINX_PATH",
  },
  haproxy: {
    title: "HAProxy",
    names: ["haproxy"],
    path: "/usr/sbin/haproxy",
    packages: { apt: "haproxy", brew: "haproxy" },
    isService: true,
    variable: "HAPROXY_PATH",
  },
};

/** The path of a proxy: the variable that names it, or else the system's, which is installed if it is missing. */
export function proxyPath(name: ProxyName): string {
  const program = PROGRAMS[name];
  return process.env[program.variable] || findOrInstall(program);
}

/** A running proxy with the configuration in `deploy/`. */
export interface RunningProxy {
  readonly url: string;
  /** The port that redirects to HTTPS. */
  readonly plainPort: number;
  /** The certificate of the authority that signed the proxy's. */
  readonly ca: string;
  /** What it has logged, at most the last 10,000 characters. */
  log(): string;
  stop(): Promise<void>;
}

/** What the test replaces in a configuration: each text must occur in it. */
type Changes = readonly (readonly [text: string, replacement: string])[];

/**
 * Runs a proxy with exactly the configuration in `deploy/`, except for its ports, the paths of its certificate, and the servers.
 *
 * @param more further changes to the configuration
 */
export async function startProxy(
  name: ProxyName,
  servers: readonly Pick<Listening, "http" | "grpc">[],
  more: Changes = [],
): Promise<RunningProxy> {
  const folder = mkdtempSync(join(tmpdir(), "countersign-proxy-"));
  const ca = await newAuthority("proxies");
  const { cert, key } = await newCertificate("127.0.0.1", ca);
  const place = (file: string, text: string): string => {
    writeFileSync(join(folder, file), text);
    return join(folder, file);
  };
  const tls = { cert: place("crt", cert), key: place("key", key), both: place("pem", `${cert}\n${key}`) };
  const [port, plainPort] = [await freePort(), await freePort()];
  const config = place("config", change(CONFIGS[name], [...changesOf(name, tls, port, plainPort, servers), ...more]));
  const child = name === "haproxy" ? run(name, ["-db", "-f", config]) : runNginx(folder, config, place);
  const output = collect(child);
  const ended = once(child, "close");
  await Promise.race([listens(port), ended.then(() => Promise.reject(new Error(`${name} ended: ${output()}`)))]);
  return {
    url: `https://127.0.0.1:${port}`,
    plainPort,
    ca: ca.cert,
    log: output,
    stop: async () => {
      child.kill("SIGTERM");
      await ended;
      rmSync(folder, { recursive: true });
    },
  };
}

const CONFIGS = {
  nginx: readFileSync("deploy/nginx/countersign.conf", "utf8"),
  haproxy: readFileSync("deploy/haproxy/haproxy.cfg", "utf8"),
};

interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  readonly both: string;
}

function changesOf(
  name: ProxyName,
  tls: TlsFiles,
  port: number,
  plainPort: number,
  servers: readonly Pick<Listening, "http" | "grpc">[],
): Changes {
  const hosts = servers.map(({ http, grpc }) => ({ http: new URL(http).host, grpc }));
  const each = (line: (host: { readonly http: string; readonly grpc: string }, number: number) => string) =>
    hosts.map(line).join("\n    ");
  if (name === "nginx") {
    const rest = "max_fails=1 fail_timeout=2s;";
    return [
      ["listen 443", `listen 127.0.0.1:${port}`],
      ["listen 80;", `listen 127.0.0.1:${plainPort};`],
      ["/etc/nginx/tls/countersign.crt", tls.cert],
      ["/etc/nginx/tls/countersign.key", tls.key],
      [`server 127.0.0.1:8080 ${rest}`, each(({ http }) => `server ${http} ${rest}`)],
      [`server 127.0.0.1:50051 ${rest}`, each(({ grpc }) => `server ${grpc} ${rest}`)],
    ];
  }
  return [
    ["bind :443", `bind 127.0.0.1:${port}`],
    ["bind :80", `bind 127.0.0.1:${plainPort}`],
    ["/etc/haproxy/tls/countersign.pem", tls.both],
    ["server one 127.0.0.1:8080", each(({ http }, n) => `server s${n} ${http}`)],
    [
      "server one 127.0.0.1:50051 track countersign_http/one",
      each(({ grpc }, n) => `server s${n} ${grpc} track countersign_http/s${n}`),
    ],
  ];
}

function change(text: string, changes: Changes): string {
  return changes.reduce((changed, [from, to]) => {
    if (!changed.includes(from)) throw new Error(`the configuration does not contain ${from}`);
    return changed.replaceAll(from, () => to);
  }, text);
}

/** The file in `deploy/` belongs into the `http` block of nginx's main configuration. */
function runNginx(folder: string, config: string, place: (file: string, text: string) => string): ChildProcess {
  const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((kind) => `${kind}_temp_path ${folder};`);
  const main = [
    ...(process.getuid?.() === 0 ? ["user root;"] : []), // its workers must read this folder
    `daemon off; pid ${folder}/pid; error_log stderr; worker_processes 1; events { }`,
    `http { access_log off; ${temporary.join(" ")} include ${config}; }`,
  ];
  return run("nginx", ["-c", place("main", main.join("\n"))]);
}

function run(name: ProxyName, args: readonly string[]): ChildProcess {
  return spawn(proxyPath(name), args, { stdio: ["ignore", "pipe", "pipe"] });
}

function collect(child: ChildProcess): () => string {
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      text = (text + chunk.toString()).slice(-10_000);
    });
  }
  return () => text;
}

/** Resolves when something accepts connections on this port. A proxy does not say when it does, so this asks again and again. */
async function listens(port: number): Promise<void> {
  for (;;) {
    const socket = connect(port, "127.0.0.1");
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    });
    socket.destroy();
    if (isOpen) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
