import { connect as connectHttp2 } from "node:http2";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { freePort } from "../../../dev/private-redis.js";
import { DeliveryStatus } from "../../../src/gen/otp/v1/otp_service_pb.js";
import { ProxiedHttp, proxiedClients } from "../../support/clients/proxied.js";
import { PROXIES, type RunningProxy, startProxy } from "../../support/programs/proxies.js";
import { type Stack, startStack } from "../../support/programs/stack.js";

const CALLS_PER_MINUTE = 3;

let stack: Stack;

beforeAll(async () => {
  const limits = { RATE_IP_VERIFY_PER_MINUTE: String(CALLS_PER_MINUTE), TRUST_PROXY: "127.0.0.1" };
  stack = await startStack({ server: { ...limits, WEB: "on", OTP_COOLDOWN_SECONDS: "0" } });
});
afterAll(() => stack.stop());

/** The rules on one client must not apply to the tests of other things. */
let lastClient = 10;
const nextClient = () => `127.0.0.${++lastClient}`;

describe.each(PROXIES)("behind %s", (name) => {
  let proxy: RunningProxy;

  beforeAll(async () => {
    proxy = await startProxy(name, [stack.server]);
  });
  afterAll(() => proxy.stop());

  it.each(["gRPC", "Connect", "Connect over HTTP/1.1", "gRPC-Web", "gRPC-Web over HTTP/1.1"])(
    "a code is requested, watched and verified over %s, with its steps as they happen",
    async (protocol) => {
      const client = proxiedClients({ ...proxy, localAddress: nextClient() })[protocol];
      if (client === undefined) throw new Error("no client");
      const email = `${protocol.replaceAll(/\W/g, "-")}@${name}.example.com`;
      const { token } = await client.generate({ recipient: { case: "email", value: email } });
      const steps = client.watch({ token })[Symbol.asyncIterator]();
      let status: DeliveryStatus | undefined;
      while (status !== DeliveryStatus.SENT) status = (await steps.next()).value?.status;
      const { code } = await stack.smtp.mailTo(email);
      const wrong = client.verify({ subject: { case: "token", value: `${token}x` }, otp: code });
      await expect(wrong).rejects.toMatchObject({
        code: Code.InvalidArgument,
        rawMessage: expect.stringMatching(/\S/),
      });
      await client.verify({ subject: { case: "token", value: token }, otp: code });
      expect((await steps.next()).value).toMatchObject({ status: DeliveryStatus.VERIFIED, final: true });
      expect((await steps.next()).done).toBe(true);
    },
  );

  it("a code is requested and verified over JSON, and its events arrive one by one", async () => {
    const http = new ProxiedHttp(proxy, nextClient());
    const email = `json@${name}.example.com`;
    const generated = await http.send("/otp/generate", { email });
    expect(generated.status).toBe(202);
    const { token } = JSON.parse(await generated.text());
    const events = await http.send(`/otp/watch?token=${token}`);
    expect(events.headers["content-type"]).toContain("text/event-stream");
    let seen = "";
    for await (const chunk of events.chunks) {
      seen += chunk.toString();
      if (!seen.includes("DELIVERY_STATUS_SENT") || seen.includes("VERIFIED")) continue;
      const { code } = await stack.smtp.mailTo(email);
      expect((await http.send("/otp/verify", { token, otp: code })).status).toBe(200);
    }
    expect(seen).toContain("DELIVERY_STATUS_VERIFIED");
    http.close();
  });

  it("the page and its files are served over HTTP/2 and HTTP/1.1, with the headers that protect it and with HSTS", async () => {
    const http = new ProxiedHttp(proxy, nextClient());
    const page = await http.send("/", undefined, { "Accept-Encoding": "gzip" });
    expect(page.status).toBe(200);
    expect(page.headers["content-security-policy"]).toContain("default-src 'none'");
    expect(page.headers["strict-transport-security"]).toBe("max-age=31536000");
    const asset = /\/assets\/[^"]+\.js/.exec(await page.text())?.[0] ?? "";
    const file = await http.send(asset, undefined, { "Accept-Encoding": "gzip" });
    expect(file.headers).toMatchObject({
      "content-encoding": "gzip",
      "content-type": "text/javascript; charset=utf-8",
    });
    await file.text();
    http.close();

    const session = connectHttp2(proxy.url, { ca: proxy.ca });
    const status = await new Promise((resolve, reject) => {
      session
        .request({ ":path": "/" })
        .on("error", reject)
        .on("response", (headers) => resolve(headers[":status"]));
    });
    expect(status).toBe(200);
    session.destroy();
  });

  it("plain HTTP is redirected to HTTPS, with the method and the body", async () => {
    const answer = await fetch(`http://127.0.0.1:${proxy.plainPort}/otp/verify`, {
      method: "POST",
      redirect: "manual",
    });
    expect(answer.status).toBe(308);
    expect(answer.headers.get("location")).toMatch(/^https:\/\/127\.0\.0\.1.*\/otp\/verify$/);
  });

  it("a client is known by its own address, whatever forwarding headers it sends", async () => {
    const verify = async (from: string, n: number) => {
      const http = new ProxiedHttp(proxy, from);
      const forged = { "X-Forwarded-For": `203.0.113.${n}`, Forwarded: `for=198.51.100.${n}` };
      const answer = await http.send("/otp/verify", { email: "nobody@example.com", otp: "123456" }, forged);
      await answer.text();
      http.close();
      return answer.status;
    };
    const [one, other] = [nextClient(), nextClient()];
    const statuses: (number | undefined)[] = [];
    for (let n = 0; n <= CALLS_PER_MINUTE; n++) statuses.push(await verify(one, n));
    expect(statuses).toEqual([...Array(CALLS_PER_MINUTE).fill(400), 429]);
    expect(await verify(other, 0)).toBe(400);
  });

  it("a client over gRPC is known by its own address, whatever forwarding headers it sends", async () => {
    const from = nextClient();
    const reasons: (string | undefined)[] = [];
    for (let n = 0; n <= CALLS_PER_MINUTE; n++) {
      const { gRPC } = proxiedClients({ ...proxy, localAddress: from });
      const headers = { "x-forwarded-for": `203.0.113.${n}`, forwarded: `for=198.51.100.${n}` };
      const subject = { case: "email", value: "nobody@example.com" } as const;
      const refused = gRPC?.verify({ subject, otp: "123456" }, { headers });
      reasons.push(
        await refused?.then(
          () => "OK",
          (thrown) => Code[ConnectError.from(thrown).code],
        ),
      );
    }
    expect(reasons).toEqual([...Array(CALLS_PER_MINUTE).fill("InvalidArgument"), "ResourceExhausted"]);
  });

  it("a body that is too large gets the response of the server", async () => {
    const http = new ProxiedHttp(proxy, nextClient());
    const answer = await http.send("/otp/generate", { email: `${"x".repeat(20_000)}@example.com` });
    expect(answer.status).toBe(413);
    expect(JSON.parse(await answer.text()).reason).toBe("INVALID_REQUEST");
    http.close();
  });
});

it.each(PROXIES)("%s without a server gives a problem, and UNAVAILABLE over every protocol", async (name) => {
  const dead = { http: `http://127.0.0.1:${await freePort()}`, grpc: `127.0.0.1:${await freePort()}` };
  const proxy = await startProxy(name, [dead]);
  const http = new ProxiedHttp(proxy);
  const answer = await http.send("/otp/generate", { email: "someone@example.com" });
  expect(answer.status).toBe(503);
  expect(answer.headers).toMatchObject({ "content-type": "application/problem+json", "retry-after": "1" });
  expect(JSON.parse(await answer.text())).toMatchObject({ status: 503, reason: "UNAVAILABLE" });
  http.close();
  for (const client of Object.values(proxiedClients(proxy))) {
    const call = client.generate({ recipient: { case: "email", value: "someone@example.com" } });
    await expect(call).rejects.toMatchObject({ code: Code.Unavailable });
  }
  await proxy.stop();
});
