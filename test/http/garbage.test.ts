import type { ServerResponse } from "node:http";
import { connect } from "node:net";
import { pino } from "pino";
import { expect, it } from "vitest";
import { HttpServer } from "../../src/http/server.js";

it("bytes that are no request, in many pieces while a response is due, add one listener to it, and it is still sent", async () => {
  const due: ServerResponse[] = [];
  const server = new HttpServer({
    handler: (_path, _request, response) => void due.push(response),
    log: pino({ level: "silent" }),
    requestTimeoutMs: 10_000,
  });
  const socket = connect(await server.listen("127.0.0.1", 0), "127.0.0.1").setNoDelay(true);
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await expect.poll(() => due.length).toBe(1);
  const [response] = due;
  const before = response?.listenerCount("close") ?? 0;
  const connection = response?.req.socket;
  let sent = connection?.bytesRead ?? 0;
  for (let n = 0; n < 20; n++) {
    socket.write("garbage\r\n");
    sent += "garbage\r\n".length;
    await expect.poll(() => connection?.bytesRead, { interval: 1 }).toBe(sent);
  }
  expect(response?.listenerCount("close")).toBe(before + 1);
  response?.writeHead(200, { "Content-Length": 2 }).end("ok");
  await closed;
  expect(text).toMatch(/^HTTP\/1.1 200 .*ok$/s);
  await server.close(1_000);
});
