import { randomBytes } from "node:crypto";
import { createServer } from "node:net";
import { type Child, startChild } from "./child.js";
import { MailCatcher, printMail } from "./mail-catcher.js";
import { startPrivateRedis } from "./private-redis.js";
import { printSms, SmsCatcher } from "./sms-catcher.js";

const LOOPBACK = "127.0.0.1";
const PORTS = { GRPC_PORT: 50_051, HTTP_PORT: 8080, HEALTH_PORT: 8081 };

/** Nobody but this machine gets in, and the lines that are printed work as they are: unset counts as empty. */
const OPEN = { API_KEYS: "", PUBLIC_RPCS: "", TLS_CERT_FILE: "", TLS_KEY_FILE: "", TLS_CLIENT_CA_FILE: "" };

/** As a Redis is to be set up, though this one goes with its folder: the binaries would warn of another. */
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
  const redisUrl = process.env.REDIS_URL || (await startRedis());
  const smtpPort = await startMailCatcher();
  const smsPort = await startSmsCatcher();
  const env = {
    OTP_SECRET: randomBytes(32).toString("base64url"),
    MAIL_FROM: "Countersign <otp@countersign.example>",
    DNS_CHECK: "off", // mail goes no further than the catcher
    ...Object.fromEntries(Object.entries(process.env).filter(([, value]) => value)),
    ...(await choosePorts()),
    LOG_LEVEL: "info", // the line that says where they listen is of this level
    HOST: LOOPBACK,
    ...OPEN,
    REDIS_URL: redisUrl,
    EMAIL_SENDERS: "smtp",
    SMTP_URL: `smtp://${LOOPBACK}:${smtpPort}`,
    SMS_SENDERS: "webhook",
    SMS_WEBHOOK_URL: `http://${LOOPBACK}:${smsPort}`,
    SMS_WEBHOOK_SECRET: randomBytes(32).toString("base64url"),
  };
  const server = await startBinary("server", env);
  await startBinary("worker", env);
  printGuide(`${LOOPBACK}:${server.listening.grpcPort}`, `http://${LOOPBACK}:${server.listening.httpPort}`);
}

/** Ends this process; what it has started ends with it. */
function exitBecause(reason: string): never {
  console.error(reason);
  process.exit(1);
}

async function startMailCatcher(): Promise<number> {
  const catcher = new MailCatcher();
  const port = await catcher.listen(LOOPBACK, 0);
  closers.push(() => catcher.close());
  catcher.on("mail", printMail);
  return port;
}

async function startSmsCatcher(): Promise<number> {
  const catcher = new SmsCatcher();
  const port = await catcher.listen(LOOPBACK, 0);
  closers.push(() => catcher.close());
  catcher.on("sms", printSms);
  return port;
}

async function startRedis(): Promise<string> {
  const redis = await startPrivateRedis({ flags: PERSISTENT });
  closers.push(() => redis.stop());
  return redis.url;
}

async function startBinary(name: "server" | "worker", env: Record<string, string | undefined>): Promise<Child> {
  const child = await startChild(new URL(`../${name}/main.js`, import.meta.url), env, printTrouble);
  closers.push(() => child.stop());
  void child.ended.then(() => isStopping || exitBecause(`The ${name} ended by itself.`));
  return child;
}

/** The usual ports where they are free, else any: whoever only wants a look should not have to stop something first. */
async function choosePorts(): Promise<Record<string, string>> {
  const chosen = Object.entries(PORTS).map(async ([name, usual]) => {
    return [name, process.env[name] || String((await isFree(usual)) ? usual : 0)];
  });
  return Object.fromEntries(await Promise.all(chosen));
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
      .once("error", () => resolve(false))
      .listen(port, LOOPBACK, () => probe.close(() => resolve(true)));
  });
}

/** Shows of the children's logs what a person should see: warnings and worse. */
function printTrouble(line: string): void {
  const isTrouble = /"level":(?:40|50|60)\b/.test(line) || !line.startsWith("{");
  if (isTrouble) console.log(line);
}

function printGuide(grpc: string, http: string): void {
  console.log(`
Countersign is running. Ctrl-C stops all of it.

  gRPC                 ${grpc}
  HTTP, Connect        ${http}
  health               ${http}/health

Ask for a code:

  curl ${http}/otp/generate -H 'Content-Type: application/json' -d '{"email":"test@example.com"}'

See how far it has come:

  curl -N '${http}/otp/watch?token=THE TOKEN'

Nothing is sent: each mail is caught, and its code printed here. So is each SMS: ask with {"phone":"+14155552671"}. Verify it:

  curl ${http}/otp/verify -H 'Content-Type: application/json' -d '{"email":"test@example.com","otp":"THE CODE"}'
`);
}
