import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DeliveryStatus } from "../../../src/gen/otp/v1/otp_service_pb.js";
import { OtpError } from "../../../src/otp/errors.js";
import { startApi, type TestApi } from "../../support/api/api.js";
import { post } from "../../support/clients/http.js";
import { overOneProtocolEach } from "../../support/clients/in-turn.js";
import { EVENTS, type OpenWatch, watchersOf } from "../../support/clients/watchers.js";
import { Feed, PROCESSING, QUEUED, SENT, VERIFIED } from "../../support/fakes/feed.js";

const PROTOCOLS = ["Connect with JSON", "Connect in binary", "gRPC-Web", "gRPC-Web with JSON", "gRPC", EVENTS] as const;
const KEY = { name: "web", digest: Buffer.alloc(32) };
const OK = { reason: "OK" };
const HUGE = ["4294967295", "9999999999", "18446744073709551616", "9".repeat(400)];

let feed: Feed;
let api: TestApi;

beforeEach(() => {
  feed = new Feed();
});
afterEach(() => api.stop());

/** `ofDomain`: watch the requests that Generate accepts, not the feed. */
type Options = NonNullable<Parameters<typeof startApi>[0]> & { readonly ofDomain?: boolean };

async function serveOver(protocol: string, { ofDomain = false, ...options }: Options): Promise<OpenWatch> {
  api = await startApi(ofDomain ? options : { watch: feed.watch, ...options });
  const open = watchersOf(api)[protocol];
  if (open === undefined) throw new Error(`there is no watcher for ${protocol}`);
  return open;
}

const seconds = (ms: number) => ({ seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1e6 });

describe.each(PROTOCOLS)("a watch over %s", (protocol) => {
  const serve = (options: Options = {}) => serveOver(protocol, options);

  it("shows the current status, then each change in order, and ends after the final status", async () => {
    const open = await serve();
    feed.push(QUEUED);
    const watching = open(feed.token);
    expect(await watching.next()).toMatchObject({
      sequence: 1,
      status: DeliveryStatus.QUEUED,
      message: "The code is waiting to be sent",
      time: seconds(QUEUED.at),
      final: false,
    });
    feed.push(PROCESSING, SENT);
    expect(await watching.next()).toMatchObject({ sequence: 2, status: DeliveryStatus.PROCESSING });
    expect(await watching.next()).toMatchObject({
      sequence: 3,
      status: DeliveryStatus.SENT,
      time: seconds(SENT.at),
      expireTime: seconds(QUEUED.at + 600_000),
    });
    feed.push(VERIFIED);
    expect(await watching.next()).toMatchObject({ sequence: 4, status: DeliveryStatus.VERIFIED, final: true });
    expect(await watching.next()).toMatchObject(OK);
    expect(feed.opened[0]?.signal.aborted).toBe(true);
  });

  it("is refused before it begins when the token is not ours", async () => {
    const open = await serve();
    const end = await open("nonsense").next();
    expect(end).toMatchObject({ reason: "INVALID_REQUEST", fields: ["token"] });
    expect(JSON.stringify(end)).not.toContain("nonsense");
  });

  it("is closed when its watcher goes away, and no longer counts for that client", async () => {
    const open = await serve({ maxWatches: { perClient: 1 } });
    feed.push(QUEUED);
    for (const n of [0, 1, 2]) {
      const watching = open(feed.token);
      expect(await watching.next()).toMatchObject({ sequence: 1 });
      watching.leave();
      await feed.until(() => feed.opened[n]?.signal.aborted === true);
    }
  });

  it("ends at once when the server shuts down, so that its watcher goes to another server", async () => {
    const open = await serve();
    feed.push(QUEUED);
    const watching = open(feed.token);
    await watching.next();
    const started = performance.now();
    const stopped = api.stop();
    expect(await watching.next()).toMatchObject(
      protocol === EVENTS ? OK : { reason: "UNAVAILABLE", message: "the server is shutting down, try again", wait: 1 },
    );
    await stopped;
    expect(performance.now() - started).toBeLessThan(900); // the grace period of the tests is 1 s
  });

  it("that breaks off tells its watcher the reason, and only the log contains an internal error", async () => {
    const open = await serve();
    feed.push(QUEUED);
    const away = open(feed.token);
    await away.next();
    feed.breakOff(OtpError.unavailable(new Error("a cause")));
    expect(await away.next()).toMatchObject(protocol === EVENTS ? OK : { reason: "UNAVAILABLE", wait: 1 });

    feed.breakOff(new TypeError("secret detail"));
    const broken = open(feed.token);
    await broken.next();
    const end = await broken.next();
    expect(end).toMatchObject(protocol === EVENTS ? OK : { reason: "Internal", message: "internal error" });
    expect(api.log.filter((line) => line.includes("secret detail"))).toHaveLength(1);
  });

  it("with a Last-Event-ID that no step can have shows the final step alone, once it is there", async () => {
    for (const id of HUGE) {
      feed = new Feed();
      const open = await serve();
      feed.push(QUEUED);
      const watching = open(feed.token, { "last-event-id": id });
      const step = watching.next();
      await feed.until(() => feed.opened.length > 0);
      feed.push(PROCESSING, { ...VERIFIED, sequence: (feed.opened[0]?.after ?? 0) + 1 });
      expect(await step).toMatchObject({ sequence: 4_294_967_295, final: true });
      expect(await watching.next()).toMatchObject(OK);
      await api.stop();
    }
    await serve();
  });
});

const test = overOneProtocolEach(
  PROTOCOLS,
  (protocol) =>
    (options: Options = {}) =>
      serveOver(protocol, options),
);

describe("a watch", () => {
  test("says why a code did not arrive", async (serve) => {
    const open = await serve();
    feed.push({ ...SENT, status: "FAILED", failure: "undelivered", final: true });
    expect(await open(feed.token).next()).toMatchObject({
      status: DeliveryStatus.FAILED,
      message: "The code was sent but did not arrive",
    });
  });

  test("resumes after the step in Last-Event-ID", async (serve) => {
    const open = await serve();
    feed.push(QUEUED, PROCESSING, SENT);
    const watching = open(feed.token, { "last-event-id": "2" });
    expect(await watching.next()).toMatchObject({ sequence: 3 });
    expect(feed.opened).toMatchObject([{ after: 2 }]);
    watching.leave();
  });

  test("is refused when Last-Event-ID is not a number", async (serve) => {
    const open = await serve();
    for (const id of ["-1", "1.5", "two", "1, 2", "1e9"]) {
      const end = await open(feed.token, { "last-event-id": id }).next();
      expect(end).toMatchObject({ reason: "INVALID_REQUEST", fields: ["last-event-id"] });
    }
  });

  test("needs a key when there are keys, unless Watch is public", async (serve) => {
    const open = await serve({ access: { keys: [KEY], publicRpcs: ["Verify"] } });
    feed.push({ ...SENT, final: true });
    expect(await open(feed.token).next()).toMatchObject({ reason: "UNAUTHENTICATED" });
    await api.stop();
    const openToAll = await serve({ access: { keys: [KEY], publicRpcs: ["Watch"] } });
    expect(await openToAll(feed.token).next()).toMatchObject({ status: DeliveryStatus.SENT });
  });

  test("is refused when its client or the server has too many of them", async (serve) => {
    const open = await serve({ maxWatches: { perClient: 1 } });
    feed.push(QUEUED);
    const first = open(feed.token);
    await first.next();
    expect(await open(feed.token).next()).toMatchObject({ reason: "RATE_LIMITED", wait: 10 });
    feed.push({ ...SENT, final: true });
    expect(await first.next()).toMatchObject({ final: true });
    expect(await first.next()).toMatchObject(OK);
    expect(await open(feed.token).next()).toMatchObject({ sequence: 1 });
    await api.stop();

    feed = new Feed();
    feed.push(QUEUED);
    const openFew = await serve({ maxWatches: { total: 1 } });
    await openFew(feed.token).next();
    expect(await openFew(feed.token).next()).toMatchObject({ reason: "UNAVAILABLE", wait: 1 });
  });

  test("is refused when its request has too many of them, from whatever clients, and other requests still have theirs", async (serve) => {
    const open = await serve({ maxWatches: { perRequest: 3 }, access: { proxies: 1 }, ofDomain: true });
    const generate = async (email: string) => String((await post(`${api.http}/otp/generate`, { email })).body.token);
    const [mine, other] = [await generate("mine@example.com"), await generate("other@example.com")];
    let client = 0;
    const watchAsAnother = (token: string) => open(token, { "x-forwarded-for": `10.0.0.${client++}` });
    const watching = [watchAsAnother(mine), watchAsAnother(mine), watchAsAnother(mine)];
    for (const watch of watching) expect(await watch.next()).toMatchObject({ sequence: 1 });
    expect(await watchAsAnother(mine).next()).toMatchObject({
      reason: "RATE_LIMITED",
      message: "too many watches of this request are open, close some of them first",
      wait: 10,
    });
    expect(await watchAsAnother(other).next()).toMatchObject({ sequence: 1 });
    watching[0]?.leave();
    await expect.poll(() => watchAsAnother(mine).next()).toMatchObject({ sequence: 1 });
  });

  test("is refused while the server shuts down", async (serve) => {
    const open = await serve();
    api.watches.close();
    expect(await open(feed.token).next()).toMatchObject({ reason: "UNAVAILABLE" });
  });
});
