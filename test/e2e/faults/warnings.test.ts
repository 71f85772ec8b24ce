import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { connectClients } from "../../support/clients/clients.js";
import { RecordingSmtp } from "../../support/messages/smtp.js";
import { type RunningServer, type RunningWorker, startServer, startWorker } from "../../support/programs/binaries.js";
import { PersistentRedis } from "../../support/redis/persistent-redis.js";

const MANY = 40;

const redis = new PersistentRedis();
const smtp = new RecordingSmtp();
let folder: string;
let server: RunningServer;
let worker: RunningWorker;

const errors = (name: string) => join(folder, `${name}.errors`);

/** A Node.js that writes what it prints on stderr to a file. */
function recorder(name: string): string {
  const path = join(folder, name);
  const command = `exec "${process.execPath}" --trace-warnings "$@" 2>"${errors(name)}"`;
  writeFileSync(path, `#!/bin/sh\n${command}\n`, { mode: 0o755 });
  return path;
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "countersign-warnings-"));
  await redis.start();
  await smtp.start();
  const senders = { EMAIL_SENDERS: "smtp", SMS_SENDERS: "webhook" };
  server = await startServer(redis.url, { ...senders, OTP_COOLDOWN_SECONDS: "0", WEB: "on" }, recorder("server"));
  const sms = { SMS_WEBHOOK_URL: "http://127.0.0.1:1/", SMS_WEBHOOK_SECRET: "a secret of at least 24 bytes" };
  worker = await startWorker(redis.url, smtp.url, { ...senders, ...sms }, recorder("worker"));
  await Promise.all([server.line(/redis answers/), worker.line(/redis answers/)]);
});
afterAll(async () => {
  await smtp.stop();
  await redis.stop();
  rmSync(folder, { recursive: true });
});

const many = <T>(make: (n: number) => Promise<T>) => Promise.all(Array.from({ length: MANY }, (_, n) => make(n)));

/** Sends these bytes over one connection, and resolves when it has closed. */
function send(...pieces: readonly string[]): Promise<void> {
  const socket = connect(Number(new URL(server.http).port), "127.0.0.1")
    .setNoDelay(true)
    .resume();
  socket.on("error", () => undefined);
  return new Promise((resolve) => {
    socket.once("close", () => resolve());
    void (async () => {
      for (const piece of pieces) await new Promise((sent) => socket.write(piece, () => setImmediate(sent)));
      socket.end();
    })();
  });
}

const json = (path: string, body: object) => {
  const text = JSON.stringify(body);
  return `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
};
const VERIFY = json("/otp/verify", { email: "nobody@example.com", otp: "123456" });

it("no load makes Node.js print a warning, neither while Redis is away nor while the binaries close", async () => {
  const clients = connectClients(server.http, `http://${server.grpc}`);
  const load = async () => {
    await send(VERIFY.repeat(MANY)); // pipelined
    await send(...Array.from({ length: MANY }, () => VERIFY)); // one after the other
    await send(VERIFY, ...Array.from({ length: MANY }, () => "garbage\r\n\r\n"));
    await send(json("/otp/generate", { email: "a@example.com" }), ...Array.from({ length: MANY }, () => "\0"));
    await send(...Array.from({ length: MANY }, () => "GET / HTTP/1.1\r\nHost: x\r\nExpect: other\r\n\r\n"));
    for (const [name, client] of Object.entries(clients)) {
      await many(async (n) => {
        const email = { case: "email", value: `${name.replaceAll(/\W/g, "-")}-${n}@example.com` } as const;
        const recipient = n % 4 === 0 ? ({ case: "phone", value: `+14155552${600 + n}` } as const) : email;
        const generated = await client.generate({ recipient }).catch(() => undefined);
        if (generated === undefined) return;
        const steps = client
          .watch({ token: generated.token }, { signal: new AbortController().signal })
          [Symbol.asyncIterator]();
        await steps.next().catch(() => undefined);
        void steps.next().catch(() => undefined);
      });
    }
    const session = connectHttp2(`http://${server.grpc}`).on("error", () => undefined);
    await many(
      (n) =>
        new Promise<void>((resolve) => {
          const path = ["/otp.v1.OtpService/Unknown", "/grpc.health.v1.Health/Check", "/otp.v1.OtpService/Verify"][
            n % 3
          ];
          const headers = { ":method": "POST", ":path": path, "content-type": "application/grpc", te: "trailers" };
          const stream = session
            .request(headers)
            .on("error", () => undefined)
            .once("close", resolve);
          stream.resume().end(Buffer.alloc(5));
        }),
    );
    session.destroy();
  };
  await load();
  await redis.end();
  await load();
  await redis.start();
  await Promise.all([server.line(/redis answers/, 2), worker.line(/redis answers/, 2)]);
  await load();
  const ended = Promise.all([server.stop(), worker.stop()]);
  expect(await ended).toEqual([0, 0]);
  expect({ server: readFileSync(errors("server"), "utf8"), worker: readFileSync(errors("worker"), "utf8") }).toEqual({
    server: "",
    worker: "",
  });
}, 120_000);
