import { type Child, startChild } from "../../../dev/child.js";

/** The secret of the binaries. Tests search logs and dumps for it. */
export const TEST_SECRET = "a-secret-for-the-tests-0123456789-abcdef";

/** A running binary, with the lines that it has logged so far. */
export interface Running extends Child {
  readonly lines: string[];
  /** Resolves with the nth line that matches, from 1, as soon as it is logged. */
  line(pattern: RegExp, nth?: number): Promise<string>;
}

export interface RunningServer extends Running {
  readonly http: string;
  /** Authority, without a scheme. */
  readonly grpc: string;
}

export interface RunningWorker extends Running {
  readonly health: string;
}

type Env = Readonly<Record<string, string>>;

/**
 * The Node.js that runs the binaries: the one that runs the tests, unless the environment of the tests names another.
 * `TEST_NODE_BINARY` names it by its path, and `TEST_NODE_MAJOR` by a major version that npm provides (`npm run test:node24`).
 */
const NODE = process.env.TEST_NODE_BINARY ?? process.execPath;

/** Most tests call from a single client address and mail to domains that do not exist, so the server checks neither by default. */
const NO_CLIENT_CHECKS = {
  RATE_IP_PER_MINUTE: "0",
  RATE_IP_VERIFY_PER_MINUTE: "0",
  WATCHES_PER_IP: "0",
  DNS_CHECK: "off",
};

/** Starts the built server on free ports. @param node the program that runs it */
export async function startServer(redisUrl: string, env: Env = {}, node = NODE): Promise<RunningServer> {
  const ports = { GRPC_PORT: "0", HTTP_PORT: "0" };
  const server = await start("server", { REDIS_URL: redisUrl, ...ports, ...NO_CLIENT_CHECKS, ...env }, node);
  const { grpcPort, httpPort } = server.listening;
  return { ...server, http: `http://127.0.0.1:${httpPort}`, grpc: `127.0.0.1:${grpcPort}` };
}

/** Starts the built worker on a free port. @param node the program that runs it */
export async function startWorker(
  redisUrl: string,
  smtpUrl: string,
  env: Env = {},
  node = NODE,
): Promise<RunningWorker> {
  const mail = { SMTP_URL: smtpUrl, MAIL_FROM: "Countersign <otp@countersign.example>" };
  const worker = await start("worker", { REDIS_URL: redisUrl, HEALTH_PORT: "0", ...mail, ...env }, node);
  return { ...worker, health: `http://127.0.0.1:${worker.listening.healthPort}` };
}

async function start(name: "server" | "worker", env: Env, node = NODE): Promise<Running> {
  const lines: string[] = [];
  const waiting = new Set<() => void>();
  const main = new URL(`../../../dist/cmd/${name}/main.js`, import.meta.url);
  const onLine = (line: string) => {
    lines.push(line);
    for (const wake of waiting) wake();
  };
  const child = await startChild(main, { OTP_SECRET: TEST_SECRET, LOG_LEVEL: "debug", ...env }, onLine, node);
  const line = (pattern: RegExp, nth = 1): Promise<string> => {
    const find = () => lines.filter((text) => pattern.test(text))[nth - 1];
    const found = find();
    if (found !== undefined) return Promise.resolve(found);
    return new Promise((resolve, reject) => {
      void child.ended.then(() => reject(new Error(`the ${name} ended before it logged ${pattern}`)));
      const wake = () => {
        const text = find();
        if (text === undefined) return;
        waiting.delete(wake);
        resolve(text);
      };
      waiting.add(wake);
    });
  };
  return { ...child, lines, line };
}
