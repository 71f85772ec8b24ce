import { once } from "node:events";
import type { ServerResponse } from "node:http";
import { connect, type Socket } from "node:net";
import { connect as connectSecure } from "node:tls";
import { pino } from "pino";
import { afterEach, describe, expect, it } from "vitest";
import { HttpServer } from "../../src/http/server.js";
import { newAuthority } from "../support/api/certificates.js";

const GRACE_MS = 5_000;
const REQUEST = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

/** A server whose responses wait until the test gives them. */
async function serve(isSecure = false) {
  const due: ServerResponse[] = [];
  const { cert, key } = await newAuthority("self");
  const current = { cert: Buffer.from(cert), key: Buffer.from(key), clientCa: undefined };
  const server = new HttpServer({
    handler: (_path, _request, response) => void due.push(response),
    log: pino({ level: "silent" }),
    requestTimeoutMs: 10_000,
    ...(isSecure && { tls: { current, on: () => undefined } }),
  });
  const port = await server.listen("127.0.0.1", 0);
  const answer = async (): Promise<void> => {
    await expect.poll(() => due.length).toBeGreaterThan(0);
    due.shift()?.writeHead(200, { "Content-Length": 2 }).end("ok");
  };
  return { server, port, due, answer };
}

const opened: Socket[] = [];
afterEach(() => {
  for (const socket of opened.splice(0)) socket.destroy();
});

/** What a client saw on a connection: the bytes, and then `FIN` or the error. */
function watch(socket: Socket) {
  opened.push(socket);
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString("latin1");
  });
  const seen = new Promise<string>((resolve) => {
    socket.once("end", () => resolve(`${text}FIN`)).once("error", ({ message }) => resolve(`${text}${message}`));
  });
  return { socket, seen, has: (part: string) => expect.poll(() => text).toContain(part) };
}

const closes = (text: string) =>
  text.match(/^Connection: .*$/gm)?.map((line) => line.slice("Connection: ".length).trim());

describe("an HTTP listener that closes", () => {
  it("sends Connection: close with the response under way, and then FIN", async () => {
    const { server, port, due, answer } = await serve();
    const client = watch(connect(port, "127.0.0.1"));
    client.socket.write(REQUEST);
    await expect.poll(() => due.length).toBe(1);
    const closed = server.close(GRACE_MS);
    await answer();
    const seen = await client.seen;
    expect(closes(seen)).toEqual(["close"]);
    expect(seen).toMatch(/okFIN$/);
    await closed;
  });

  it("sends Connection: close only with the last of several pipelined responses, also one whose request comes later", async () => {
    const { server, port, due, answer } = await serve();
    const client = watch(connect(port, "127.0.0.1"));
    client.socket.write(REQUEST + REQUEST);
    await expect.poll(() => due.length).toBe(2);
    const closed = server.close(GRACE_MS);
    client.socket.write(REQUEST);
    await expect.poll(() => due.length).toBe(3);
    for (let n = 0; n < 3; n++) await answer();
    const seen = await client.seen;
    expect(closes(seen)).toEqual(["keep-alive", "keep-alive", "close"]);
    expect(seen).toMatch(/okFIN$/);
    await closed;
  });

  it("answers a request that had begun to arrive on an idle connection", async () => {
    const { server, port, answer } = await serve();
    const client = watch(connect(port, "127.0.0.1"));
    client.socket.write(REQUEST);
    await answer();
    await client.has("ok");
    client.socket.write("GET / HTTP/1.1\r\nHo");
    const other = watch(connect(port, "127.0.0.1"));
    other.socket.write(REQUEST); // when it has arrived, so has the other one
    await answer();
    await other.has("ok");
    const closed = server.close(GRACE_MS);
    client.socket.write("st: x\r\n\r\n");
    await answer();
    expect(closes(await client.seen)).toEqual(["keep-alive", "close"]);
    expect(await other.seen).toMatch(/FIN$/);
    await closed;
  });

  it("lets an idle connection linger for one more request, and does not wait when there is no connection", async () => {
    const { server, port, answer } = await serve();
    const client = watch(connect(port, "127.0.0.1"));
    client.socket.write(REQUEST);
    await answer();
    await client.has("ok");
    const closed = server.close(GRACE_MS, 60_000);
    client.socket.write(REQUEST);
    await answer();
    expect(closes(await client.seen)).toEqual(["keep-alive", "close"]);
    await closed;
  });

  it.each([false, true])("ends an idle connection without a reset, with TLS: %s", async (isSecure) => {
    const { server, port, answer } = await serve(isSecure);
    const options = { port, host: "127.0.0.1", rejectUnauthorized: false };
    const client = watch(isSecure ? connectSecure(options) : connect(options));
    client.socket.write(REQUEST);
    await answer();
    await client.has("ok");
    const closed = server.close(GRACE_MS);
    expect(await client.seen).toMatch(/okFIN$/);
    await closed;
  });

  it("does not wait for a client that keeps its side open", async () => {
    const { server, port } = await serve();
    const client = watch(connect({ port, host: "127.0.0.1", allowHalfOpen: true }));
    await once(client.socket, "connect");
    await server.close(GRACE_MS);
    expect(await client.seen).toBe("FIN");
  });

  it("does not serve a request that comes after FIN", async () => {
    const { server, port, due } = await serve();
    const client = watch(connect({ port, host: "127.0.0.1", allowHalfOpen: true }));
    await once(client.socket, "connect");
    const closed = server.close(GRACE_MS);
    await client.seen;
    client.socket.write(REQUEST);
    await closed;
    expect(due).toEqual([]);
  });
});
