import { createServer as createHttpServer } from "node:http";
import { createServer, type Socket } from "node:net";
import { expect, it } from "vitest";
import type { Sender, Sms } from "../../../src/delivery/sender.js";
import { failure, forever, sms } from "../fakes/deliveries.js";
import { listening } from "../programs/listening.js";
import type { StandIn } from "./stand-in.js";

const NUMBER = "+15005550001";

/** Declares the tests that every sender over HTTP must pass. `open` makes a sender that sends to this URL. */
export function faultsOverHttp(standIn: () => StandIn, open: (baseUrl: string) => Sender<Sms>, secret: string): void {
  const withSender = async <T>(baseUrl: string, use: (sender: Sender<Sms>) => Promise<T>): Promise<T> => {
    const sender = open(baseUrl);
    try {
      return await use(sender);
    } finally {
      sender.close();
    }
  };

  it.each([
    ["a number that takes no messages", { at: "reject" }, "address", false],
    ["too many requests", { at: "throttle" }, "throttled", false],
    ["status 500", { at: "fail", status: 500 }, "outage", false],
    ["status 503", { at: "fail", status: 503 }, "outage", false],
    ["status 504 from a gateway that got no answer", { at: "fail", status: 504 }, "outage", true],
    ["a connection that breaks before the answer", { at: "drop" }, "outage", true],
  ] as const)("fails with the matching fault after %s", async (_what, behaviour, fault, mayHaveGone) => {
    standIn().script.push(behaviour);
    const error = await withSender(standIn().url, (sender) => failure(sender, sms(NUMBER)));
    expect(error).toMatchObject({ fault, mayHaveGone });
    for (const kept of [NUMBER.slice(1), "123456", secret]) expect(error.whole).not.toContain(kept);
  });

  it.each([
    ["7", 7000],
    [new Date(Date.now() + 3_600_000).toUTCString(), 3_600_000],
    ["soon", undefined],
  ])("fails with the time to wait when the provider answers Retry-After: %s", async (retryAfter, expected) => {
    standIn().script.push({ at: "throttle", retryAfter });
    const { retryAfterMs } = await withSender(standIn().url, (sender) => failure(sender, sms(NUMBER)));
    if (expected === undefined) expect(retryAfterMs).toBeUndefined();
    else expect(Math.abs((retryAfterMs ?? 0) - expected)).toBeLessThan(10_000);
  });

  it("is posted below the path of the base URL", async () => {
    const targets: unknown[] = [];
    const gateway = createHttpServer((request, response) => {
      targets.push(request.url);
      response.writeHead(500).end();
    });
    const url = `http://127.0.0.1:${await listening(gateway)}/gateway`;
    await withSender(url, (sender) => failure(sender, sms(NUMBER)));
    expect(targets).toEqual([expect.stringMatching(/^\/gateway\b/)]);
    gateway.close();
  });

  it("reuses an open connection", async () => {
    await withSender(standIn().url, async (sender) => {
      await sender.send(sms(NUMBER), forever);
      const before = standIn().connections;
      for (let n = 0; n < 20; n++) await sender.send(sms(NUMBER), forever);
      expect(standIn().connections).toBe(before);
    });
  });

  it("counts as taken when the provider's answer of success breaks off", async () => {
    standIn().script.push({ at: "cut" });
    await withSender(standIn().url, (sender) => sender.send(sms(NUMBER), forever));
  });

  it("waits for a slow provider", async () => {
    standIn().script.push({ at: "slow", ms: 200 });
    await withSender(standIn().url, (sender) => sender.send(sms(NUMBER), forever));
  });

  it("may have been sent when its code expires while the provider is silent", async () => {
    const expiry = new AbortController();
    standIn().script.push({ at: "hang" });
    standIn().once("message", () => expiry.abort());
    const error = await withSender(standIn().url, (sender) => failure(sender, sms(NUMBER), expiry.signal));
    expect(error).toMatchObject({ fault: "outage", mayHaveGone: true });
  });

  it("was certainly not sent when its code had already expired", async () => {
    const { calls } = standIn();
    const error = await withSender(standIn().url, (sender) => failure(sender, sms(NUMBER), AbortSignal.abort()));
    expect(error).toMatchObject({ fault: "outage", mayHaveGone: false });
    expect(standIn().calls).toBe(calls);
  });

  it("was certainly not sent when the provider is down, and is sent once the provider is back", async () => {
    await withSender(standIn().url, async (sender) => {
      await standIn().stop();
      expect(await failure(sender, sms(NUMBER))).toMatchObject({ fault: "outage", mayHaveGone: false });
      await standIn().start();
      await sender.send(sms(NUMBER), forever);
    });
  });

  it("was certainly not sent when the host does not exist", async () => {
    const error = await withSender("https://nowhere.invalid", (sender) => failure(sender, sms(NUMBER)));
    expect(error).toMatchObject({ fault: "outage", mayHaveGone: false });
  });

  it("was certainly not sent when TLS fails", async () => {
    const plain = createServer((socket) => socket.end("not TLS\r\n"));
    const url = `https://127.0.0.1:${await listening(plain)}`;
    const error = await withSender(url, (sender) => failure(sender, sms(NUMBER)));
    expect(error).toMatchObject({ fault: "outage", mayHaveGone: false });
    plain.close();
  });

  it("was certainly not sent when its code expires during the TLS handshake", async () => {
    const expiry = new AbortController();
    const sockets: Socket[] = [];
    const silent = createServer((socket) => {
      sockets.push(socket);
      socket.once("data", () => expiry.abort());
    });
    const url = `https://127.0.0.1:${await listening(silent)}`;
    const error = await withSender(url, (sender) => failure(sender, sms(NUMBER), expiry.signal));
    expect(error).toMatchObject({ fault: "outage", mayHaveGone: false });
    for (const socket of sockets) socket.destroy();
    silent.close();
  });

  it("is still sent when its sender is closed, which then closes every connection", async () => {
    const sender = open(standIn().url);
    await sender.send(sms(NUMBER), forever);
    standIn().script.push({ at: "slow", ms: 100 });
    const sending = sender.send(sms(NUMBER), forever);
    sender.close();
    await sending;
    await standIn().disconnected();
  });
}
