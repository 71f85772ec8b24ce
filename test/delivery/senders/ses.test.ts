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
  it("is what it would be through SMTP", async () => {
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

  it("goes out over a connection that stays open", async () => {
    await sender.send(mail("first@example.com"), forever);
    const before = ses.connections;
    for (let n = 0; n < 5; n++) await sender.send(mail(`pool${n}@example.com`), forever);
    expect(ses.connections).toBe(before);
  });
});

describe("a mail that SES does not take", () => {
  it.each([
    ["an address it does not read", { at: "reject" }, "address", "SES 400, error BadRequestException", false],
    ["too many requests", { at: "throttle" }, "throttled", "SES 429, error TooManyRequestsException", false],
    ["an error of its own", { at: "fail", status: 500 }, "outage", "SES 500, error InternalFailure", false],
    ["a gateway that got no answer", { at: "fail", status: 504 }, "outage", "SES 504, error InternalFailure", true],
    ["a connection that breaks before the answer", { at: "drop" }, "outage", "SES fault ECONNRESET", true],
  ] as const)("is whose fault it is: %s", async (_what, behaviour, fault, message, mayHaveGone) => {
    ses.script.push(behaviour);
    const error = await failure(sender, mail("refused@example.com"));
    expect(error).toMatchObject({ message, fault, mayHaveGone });
    expect(error.whole).not.toMatch(/refused@example\.com|123456|AKIA|ses-secret/);
  });

  it.each([
    ["an exception that is named", "AccessDeniedException", 400, "provider"],
    ["a message that is rejected", "MessageRejected", 400, "route"],
    ["an unknown exception of 400", "ValidationError", 400, "route"],
    ["an unknown exception of 403", "InvalidSignatureException", 403, "provider"],
    ["an unknown exception of 429", "SlowDown", 429, "throttled"],
    ["an unknown exception of 502", "BadGateway", 502, "outage"],
    ["an unknown exception of no status", "Unknown", undefined, "outage"],
  ] as const)("is told by its exception, and by its status otherwise: %s", (_what, name, httpStatusCode, fault) => {
    const $metadata = httpStatusCode === undefined ? {} : { httpStatusCode };
    const thrown = new SESv2ServiceException({ name, $fault: "client", $metadata, message: "to ada@example.com" });
    const mayHaveGone = httpStatusCode === undefined;
    expect(sesError(thrown)).toMatchObject({
      fault,
      mayHaveGone,
      message: `SES ${httpStatusCode ?? 0}, error ${name}`,
    });
  });

  it("may have gone when the answer is cut", async () => {
    ses.script.push({ at: "cut" });
    expect(await failure(sender, mail("cut@example.com"))).toMatchObject({ fault: "outage", mayHaveGone: true });
  });

  it("says when SES takes more", async () => {
    ses.script.push({ at: "throttle", retryAfter: "7" });
    expect(await failure(sender, mail("ada@example.com"))).toMatchObject({ fault: "throttled", retryAfterMs: 7000 });
  });

  it("may have gone when its code dies while SES is silent", async () => {
    const death = new AbortController();
    ses.script.push({ at: "hang" });
    ses.once("message", () => death.abort());
    const error = await failure(sender, mail("late@example.com"), death.signal);
    expect(error).toMatchObject({ message: "SES fault AbortError", fault: "outage", mayHaveGone: true });
  });

  it("has surely not gone when its code was dead before", async () => {
    const error = await failure(sender, mail("dead@example.com"), AbortSignal.abort());
    expect(error).toMatchObject({ fault: "outage", mayHaveGone: false });
    expect(ses.messagesTo("dead@example.com")).toEqual([]);
  });

  it("has surely not gone when there is no SES, and goes once there is one again", async () => {
    await ses.stop();
    const error = await failure(sender, mail("down@example.com"));
    expect(error).toMatchObject({ message: "SES fault ECONNREFUSED", fault: "outage", mayHaveGone: false });
    await ses.start();
    await sender.send(mail("down@example.com"), forever);
  });

  it("has surely not gone when TLS fails", async () => {
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

  it("is the provider's when our key is refused", async () => {
    vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIASTRANGER");
    const stranger = new SesSender({ region: SES.region, endpoint: ses.url, from: FROM });
    expect(await failure(stranger, mail("ada@example.com"))).toMatchObject({
      message: "SES 403, error UnrecognizedClientException",
      fault: "provider",
      mayHaveGone: false,
    });
    stranger.close();
  });

  it("is the provider's when there are no credentials", async () => {
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
