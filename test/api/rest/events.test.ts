import { once } from "node:events";
import { connect as connectTcp } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startApi, type TestApi } from "../../support/api/api.js";
import { Feed, PROCESSING, QUEUED, VERIFIED } from "../../support/fakes/feed.js";

let feed: Feed;
let api: TestApi;

beforeEach(async () => {
  feed = new Feed();
  api = await startApi({
    watch: feed.watch,
    streamTimeouts: { heartbeatMs: 50 },
    corsOrigins: ["https://app.example.com"],
  });
});
afterEach(() => api.stop());

const target = (query = `token=${feed.token}`) => `${api.http}/otp/watch?${query}`;

describe("the route /otp/watch", () => {
  it("answers with server-sent events", async () => {
    feed.push(QUEUED, VERIFIED);
    const response = await fetch(target());
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store, no-transform",
      "x-accel-buffering": "no",
    });
    expect(await response.text()).toBe(
      [
        "retry: 1000",
        'id: 1\ndata: {"status":"DELIVERY_STATUS_QUEUED","time":"2023-11-14T22:13:20Z","message":"The code is waiting to be sent","sequence":1}',
        'id: 4\ndata: {"status":"DELIVERY_STATUS_VERIFIED","time":"2023-11-14T22:13:20.500Z","message":"The code was verified","sequence":4,"final":true,"expireTime":"2023-11-14T22:23:20Z"}',
        "",
      ].join("\n\n"),
    );
  });

  it("answers 204 to an EventSource that has seen the final status, so that it does not reconnect", async () => {
    feed.push(QUEUED, VERIFIED);
    const response = await fetch(target(), { headers: { "Last-Event-ID": "4" } });
    expect(response.status).toBe(204);
    expect(await response.text()).toBe("");
    expect(feed.opened[0]?.signal.aborted).toBe(true);
  });

  it("sends its headers at once, and comments while there is no event", async () => {
    const response = await fetch(target());
    let text = "";
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk).toString();
      if (text.includes(":\n\n:\n\n")) feed.push(VERIFIED);
    }
    expect(text).toMatch(/^retry: 1000\n\n(?::\n\n){2,}id: 4\n/);
  });

  it.each([
    ["no query", "", "#/token"],
    ["an unknown parameter", "token=the-token&last=1", "#/last"],
    ["an unknown parameter that looks like an address", "token=the-token&a@example.com=1", "#"],
    ["a property that every object has", "token=the-token&__proto__=1", "#/__proto__"],
    ["a parameter twice", "token=the-token&token=the-token", "#/query"],
    ["a token that is not ours", "token=%00%ff%zz?&", "#/token"],
  ])("refuses a request with %s, and names the parameter", async (_what, query, pointer) => {
    const response = await fetch(target(query));
    expect(response.status).toBe(400);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    const text = await response.text();
    expect(JSON.parse(text)).toMatchObject({ reason: "INVALID_REQUEST", errors: [{ pointer }] });
    expect(text).not.toMatch(/the-token|example\.com/);
    expect(feed.opened).toEqual([]);
  });

  it("refuses other methods", async () => {
    for (const method of ["POST", "HEAD", "PUT", "DELETE"]) {
      const response = await fetch(target(), { method });
      expect(response.status).toBe(405);
      expect(response.headers.get("allow")).toBe("GET");
    }
  });

  it("allows the configured origins", async () => {
    feed.push(VERIFIED);
    const headers = { Origin: "https://app.example.com" };
    expect((await fetch(target(), { headers })).headers.get("access-control-allow-origin")).toBe(headers.Origin);
    const preflight = await fetch(target(), {
      method: "OPTIONS",
      headers: { ...headers, "Access-Control-Request-Method": "GET" },
    });
    expect(preflight.headers.get("access-control-allow-headers")?.toLowerCase()).toContain("last-event-id");
  });

  it("goes on when its request has a body", async () => {
    feed.push(QUEUED);
    const socket = connectTcp(api.httpPort, "127.0.0.1");
    socket.write(`GET /otp/watch?token=${feed.token} HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n`);
    socket.write("x".repeat(100_000));
    const answer = collect(socket);
    await feed.until(() => feed.asked === 1);
    feed.push(VERIFIED);
    expect(await answer).toContain("id: 4");
  });
});

describe("a connection with a watch", () => {
  const WATCH = () => `GET /otp/watch?token=${feed.token} HTTP/1.1\r\nHost: x\r\n\r\n`;

  it("serves no request after the watch", async () => {
    feed.push(QUEUED, PROCESSING);
    const socket = connectTcp(api.httpPort, "127.0.0.1");
    const answer = collect(socket);
    socket.write(WATCH());
    await feed.until(() => feed.asked === 2);
    socket.write("GET /health HTTP/1.1\r\nHost: x\r\n\r\n");
    expect(await answer).toMatch(/^HTTP\/1\.1 200 OK\r\n.*\r\nConnection: close\r\n/is);
    await feed.until(() => feed.opened[0]?.signal.aborted === true);
  });

  it("keeps no timer and no watch for a watcher that closes it right after its request", async () => {
    feed.push(QUEUED);
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
    const before = timers();
    for (let n = 0; n < 200; n++) {
      const socket = connectTcp({ port: api.httpPort, host: "127.0.0.1", allowHalfOpen: true });
      socket.on("error", () => undefined).resume();
      socket.end(WATCH());
      await once(socket, "close");
    }
    await feed.until(() => feed.opened.every(({ signal }) => signal.aborted));
    while (timers() > before + 20) await new Promise(setImmediate); // a heartbeat that is not stopped would run forever
  });

  it("opens one watch, however many requests arrive at once", async () => {
    feed.push(QUEUED);
    const socket = connectTcp(api.httpPort, "127.0.0.1");
    socket.on("error", () => undefined).resume();
    socket.write(WATCH().repeat(1000));
    await once(socket, "close");
    await feed.until(() => feed.opened.every(({ signal }) => signal.aborted));
    expect(feed.opened.length).toBeLessThan(2);
    const before = performance.now();
    await api.stop();
    expect(performance.now() - before).toBeLessThan(900); // no watch is counted as running that is not
  });
});

function collect(socket: ReturnType<typeof connectTcp>): Promise<string> {
  let text = "";
  socket.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  socket.on("error", () => undefined);
  return new Promise((resolve) => socket.on("close", () => resolve(text)));
}
