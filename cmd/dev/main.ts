import { randomBytes } from "node:crypto";
import { type Child, startChild } from "../../dev/child.js";
import { printGuide } from "../../dev/guide.js";
import { type Inbox, startInbox } from "../../dev/inbox/start.js";
import { choosePort } from "../../dev/ports.js";
import { startPrivateRedis } from "../../dev/private-redis.js";
import { readConfig } from "../../src/config/read.js";
import { integer } from "../../src/config/values.js";

const LOOPBACK = "127.0.0.1";
const PORTS = { GRPC_PORT: 50_051, HTTP_PORT: 8080, HEALTH_PORT: 8081 };
const INBOX_PORT = 8025;
/** The names of this machine. A page in a browser that points its own name here is refused. */
const OWN_HOSTS = ["localhost", LOOPBACK, "[::1]"];

/** Only this machine can connect, so the printed commands need neither a key nor TLS. Empty means unset. */
const OPEN = { API_KEYS: "", PUBLIC_RPCS: "", TLS_CERT_FILE: "", TLS_KEY_FILE: "", TLS_CLIENT_CA_FILE: "" };

/** The binaries warn about a Redis without persistence, even though the folder of this one does not outlive the process. */
const PERSISTENT = ["--appendonly", "yes"];

const closers: (() => Promise<unknown>)[] = [];
let isStopping = false;
const stop = new Promise<void>((resolve) => {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const) process.on(signal, () => resolve());
});

try {
  await Promise.race([start(), stop]);
} catch (error) {
  exitBecause(error instanceof Error ? error.message : String(error));
}
await stop;
isStopping = true;
console.log("\nStopping.");
for (const close of closers.toReversed()) await close();
process.exit(0);

async function start(): Promise<void> {
  const inbox = await openInbox();
  const redisUrl = process.env.REDIS_URL || (await startRedis());
  const env = {
    OTP_SECRET: randomBytes(32).toString("base64url"),
    MAIL_FROM: "Countersign <otp@countersign.example>",
    DNS_CHECK: "off", // no mail leaves this machine
    ...Object.fromEntries(Object.entries(process.env).filter(([, value]) => value)),
    ...(await choosePorts()),
    LOG_LEVEL: "info", // the log entry that names the ports has this level
    HOST: LOOPBACK,
    WEB: "on",
    ...OPEN,
    ALLOWED_HOSTS: [...OWN_HOSTS, ...(process.env.ALLOWED_HOSTS ? [process.env.ALLOWED_HOSTS] : [])].join(),
    REDIS_URL: redisUrl,
    EMAIL_SENDERS: "smtp",
    SMTP_URL: inbox.smtpUrl,
    SMS_SENDERS: "webhook",
    SMS_WEBHOOK_URL: inbox.smsUrl,
    SMS_WEBHOOK_SECRET: inbox.smsSecret,
  };
  const server = await startBinary("server", env);
  await startBinary("worker", env);
  printGuide({
    grpc: `${LOOPBACK}:${server.listening.grpcPort}`,
    http: `http://${LOOPBACK}:${server.listening.httpPort}`,
    inbox: inbox.url,
  });
}

/** Ends this process, and the processes that it started with it. */
function exitBecause(reason: string): never {
  console.error(reason);
  process.exit(1);
}

async function openInbox(): Promise<Inbox> {
  // A bad port is reported in the same words as in the binaries.
  readConfig({ INBOX_PORT: integer(0, 65_535)({ default: INBOX_PORT }) }, process.env);
  const port = Number(await choosePort("INBOX_PORT", INBOX_PORT));
  const inbox = await startInbox({ port, say: console.log });
  closers.push(() => inbox.close());
  return inbox;
}

async function startRedis(): Promise<string> {
  const redis = await startPrivateRedis({ flags: PERSISTENT });
  closers.push(() => redis.stop());
  return redis.url;
}

async function startBinary(name: "server" | "worker", env: Record<string, string | undefined>): Promise<Child> {
  const child = await startChild(new URL(`../${name}/main.js`, import.meta.url), env, printTrouble);
  closers.push(() => child.stop());
  void child.ended.then(() => isStopping || exitBecause(`The ${name} ended unexpectedly.`));
  return child;
}

async function choosePorts(): Promise<Record<string, string>> {
  const chosen = Object.entries(PORTS).map(async ([name, usual]) => [name, await choosePort(name, usual)]);
  return Object.fromEntries(await Promise.all(chosen));
}

/** Prints the warnings and errors in a child's log. */
function printTrouble(line: string): void {
  const isTrouble = /"level":(?:40|50|60)\b/.test(line) || !line.startsWith("{");
  if (isTrouble) console.log(line);
}
