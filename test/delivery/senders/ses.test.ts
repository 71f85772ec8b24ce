import { createServer } from "node:net";
import { SESv2ServiceException } from "@aws-sdk/client-sesv2";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { sesError } from "../../../src/delivery/senders/ses/faults.js";
import { SesSender } from "../../../src/delivery/senders/ses/sender.js";
import { failure, forever, mail } from "../../support/fakes/deliveries.js";
import { listening } from "../../support/programs/listening.js";
import { SES, SES_ENV, SesStandIn } from "../../support/providers/ses.js";

const FROM = { name: "Countersign", address: "otp@countersign.example" };

let ses: SesStandIn;
let sender: SesSender;

beforeAll(async () => {
  for (const [name, value] of Object.entries(SES_ENV)) vi.stubEnv(name, value);
  ses = await new SesStandIn().start();
  sender = new SesSender({ region: SES.region, endpoint: ses.url, from: FROM });
});
afterEach(() => void ses.script.splice(0));
afterAll(async () => {
  sender.close();
  await ses.stop();
  vi.unstubAllEnvs();
});

describe("a mail through SES", () => {
  it("has the same source as through SMTP", async () => {
    await sender.send(mail("Ada@example.com"), forever);
    const { text, code, call } = await ses.messageTo("Ada@example.com");
    expect(text).toMatch(/^From: Countersign <otp@countersign\.example>\r$/m);
    expect(text).toMatch(/^To: Ada@example\.com\r$/m);
    expect(text).toMatch(/^Message-ID: <request-id_0@countersign\.example>\r$/m);
    expect(text).toMatch(/^Auto-Submitted: auto-generated\r$/m);
    expect(text).toMatch(/^Content-Type: multipart\/alternative;/m);
    expect(text).not.toMatch(/[^\r]\n/);
    expect(code).toBe("123456");
    expect(JSON.parse(call.body)).toMatchObject({
      FromEmailAddress: "Countersign <otp@countersign.example>",
      Destination: { ToAddresses: ["Ada@example.com"] },
    });
  });

  it("reuses an open connection", async () => {
    await sender.send(mail("first@example.com"), forever);
    const before = ses.connections;
    for (let n = 0; n < 5; n++) await sender.send(mail(`pool${n}@example.com`), forever);
    expect(ses.connections).toBe(before);
  });
});

describe("a mail to SES", () => {
  it.each([
    ["an address that SES cannot parse", { at: "reject" }, "address", "SES 400, error BadRequestException", false],
    ["too many requests", { at: "throttle" }, "throttled", "SES 429, error TooManyRequestsException", false],
    ["an internal error of SES", { at: "fail", status: 500 }, "outage", "SES 500, error InternalFailure", false],
    ["a gateway that got no answer", { at: "fail", status: 504 }, "outage", "SES 504, error InternalFailure", true],
    ["a connection that breaks before the answer", { at: "drop" }, "outage", "SES fault ECONNRESET", true],
  ] as const)("fails with the matching fault after %s", async (_what, behaviour, fault, message, mayHaveGone) => {
    ses.script.push(behaviour);
    const error = await failure(sender, mail("refused@example.com"));
    expect(error).toMatchObject({ message, fault, mayHaveGone });
    expect(error.whole).not.toMatch(/refused@example\.com|123456|AKIA|ses-secret/);
  });

  it.each([
    ["a known exception", "AccessDeniedException", 400, "provider"],
    ["a rejected message", "MessageRejected", 400, "route"],
    ["an unknown exception with status 400", "ValidationError", 400, "route"],
    ["an unknown exception with status 403", "InvalidSignatureException", 403, "provider"],
    ["an unknown exception with status 429", "SlowDown", 429, "throttled"],
    ["an unknown exception with status 502", "BadGateway", 502, "outage"],
    ["an unknown exception without a status", "Unknown", undefined, "outage"],
  ] as const)(
    "fails with the fault of the exception, or of the status if the exception is unknown, after %s",
    (_what, name, httpStatusCode, fault) => {
      const $metadata = httpStatusCode === undefined ? {} : { httpStatusCode };
      const thrown = new SESv2ServiceException({ name, $fault: "client", $metadata, message: "to ada@example.com" });
      const mayHaveGone = httpStatusCode === undefined;
      expect(sesError(thrown)).toMatchObject({
        fault,
        mayHaveGone,
        message: `SES ${httpStatusCode ?? 0}, error ${name}`,
      });
    },
  );

  it("may have been sent when the answer breaks off", async () => {
    ses.script.push({ at: "cut" });
    expect(await failure(sender, mail("cut@example.com"))).toMatchObject({ fault: "outage", mayHaveGone: true });
  });

  it("fails with the time to wait when SES names one", async () => {
    ses.script.push({ at: "throttle", retryAfter: "7" });
    expect(await failure(sender, mail("ada@example.com"))).toMatchObject({ fault: "throttled", retryAfterMs: 7000 });
  });

  it("may have been sent when its code expires while SES is silent", async () => {
    const expiry = new AbortController();
    ses.script.push({ at: "hang" });
    ses.once("message", () => expiry.abort());
    const error = await failure(sender, mail("late@example.com"), expiry.signal);
    expect(error).toMatchObject({ message: "SES fault AbortError", fault: "outage", mayHaveGone: true });
  });

  it("was certainly not sent when its code had already expired", async () => {
    const error = await failure(sender, mail("dead@example.com"), AbortSignal.abort());
    expect(error).toMatchObject({ fault: "outage", mayHaveGone: false });
    expect(ses.messagesTo("dead@example.com")).toEqual([]);
  });

  it("was certainly not sent when SES is down, and is sent once SES is back", async () => {
    await ses.stop();
    const error = await failure(sender, mail("down@example.com"));
    expect(error).toMatchObject({ message: "SES fault ECONNREFUSED", fault: "outage", mayHaveGone: false });
    await ses.start();
    await sender.send(mail("down@example.com"), forever);
  });

  it("was certainly not sent when TLS fails", async () => {
    const plain = createServer((socket) => socket.end("not TLS\r\n"));
    const tls = new SesSender({
      region: SES.region,
      endpoint: `https://127.0.0.1:${await listening(plain)}`,
      from: FROM,
    });
    expect(await failure(tls, mail("ada@example.com"))).toMatchObject({ fault: "outage", mayHaveGone: false });
    tls.close();
    plain.close();
  });

  it("fails as a fault of the provider when SES refuses our key", async () => {
    vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIASTRANGER");
    const stranger = new SesSender({ region: SES.region, endpoint: ses.url, from: FROM });
    expect(await failure(stranger, mail("ada@example.com"))).toMatchObject({
      message: "SES 403, error UnrecognizedClientException",
      fault: "provider",
      mayHaveGone: false,
    });
    stranger.close();
  });

  it("fails as a fault of the provider when there are no credentials", async () => {
    vi.stubEnv("AWS_ACCESS_KEY_ID", undefined);
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", undefined);
    vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
    vi.stubEnv("HOME", "/nonexistent");
    const stranger = new SesSender({ region: SES.region, endpoint: ses.url, from: FROM });
    const error = await failure(stranger, mail("ada@example.com"));
    expect(error).toMatchObject({
      message: "SES fault CredentialsProviderError",
      fault: "provider",
      mayHaveGone: false,
    });
    stranger.close();
  });
});
