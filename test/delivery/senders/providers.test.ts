import { once } from "node:events";
import { createServer } from "node:http";
import { SESv2Client, SESv2ServiceException, SendEmailCommand } from "@aws-sdk/client-sesv2";
import twilio from "twilio";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { TwilioReceipts } from "../../../src/delivery/senders/twilio/receipts.js";
import { TwilioSender } from "../../../src/delivery/senders/twilio/sender.js";
import { VonageReceipts } from "../../../src/delivery/senders/vonage/receipts.js";
import { VonageSender } from "../../../src/delivery/senders/vonage/sender.js";
import { forever, sms } from "../../support/fakes/deliveries.js";
import { receiptCall } from "../../support/fakes/receipts.js";
import { listening } from "../../support/programs/listening.js";
import { SES, SesStandIn } from "../../support/providers/ses.js";
import { TWILIO, TwilioStandIn, twilioReceipt, twilioSignature } from "../../support/providers/twilio.js";
import { newApplication, VONAGE, VonageStandIn } from "../../support/providers/vonage.js";

// A stand-in is useful only if it behaves as its provider does, so the providers' own clients talk to the stand-ins here.
// Vonage's client (@vonage/*) needs Node.js 22 and this project runs on 20, so Vonage's stand-in follows the documentation alone.

describe("Twilio's own client", () => {
  let standIn: TwilioStandIn;
  beforeAll(async () => {
    standIn = await new TwilioStandIn().start();
  });
  afterEach(() => void standIn.script.splice(0));
  afterAll(() => standIn.stop());

  /** Twilio's client, except that it calls the stand-in. */
  const client = (authToken: string = TWILIO.authToken) => {
    const real = new twilio.RequestClient();
    const request: typeof real.request = (options) =>
      real.request({ ...options, uri: options.uri.replace("https://api.twilio.com", standIn.url) });
    return twilio(TWILIO.accountSid, authToken, { httpClient: Object.assign(new twilio.RequestClient(), { request }) });
  };
  const message = {
    to: "+15005550001",
    from: TWILIO.from,
    body: "123456 is your code",
    validityPeriod: 300,
    statusCallback: "https://otp.example.com/providers/twilio/status?ref=reference-id_0",
  };

  it("sends a message through the stand-in", async () => {
    const sent = await client().messages.create(message);
    expect(sent).toMatchObject({ status: "queued", to: "+15005550001", body: "123456 is your code", errorCode: null });
    expect(sent.sid).toMatch(/^SM[0-9a-f]{32}$/);
    expect(await standIn.messageTo("+15005550001")).toMatchObject({ code: "123456", reference: "reference-id_0" });
  });

  it.each([
    ["reject", 400, 21211],
    ["throttle", 429, 20429],
  ] as const)("understands the error of the stand-in after %s", async (at, status, code) => {
    standIn.script.push({ at });
    const error: unknown = await client()
      .messages.create(message)
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(twilio.RestException);
    expect(error).toMatchObject({ status, code });
  });

  it("is refused by the stand-in with a wrong token", async () => {
    await expect(client("wrong").messages.create(message)).rejects.toMatchObject({ status: 401, code: 20003 });
  });

  it.each([
    "https://otp.example.com/providers/twilio/status?ref=reference-id_0",
    "https://otp.example.com:443/providers/twilio/status?ref=reference-id_0",
    "https://evil.example.com/providers/twilio/status?ref=reference-id_0",
  ])("agrees with the stand-in and with our reader on a signature for %s", async (signed) => {
    const publicUrl = "https://otp.example.com";
    const target = "/providers/twilio/status?ref=reference-id_0";
    const form = twilioReceipt("+15005550001", "delivered");
    const signature = twilioSignature(TWILIO.authToken, signed, form);
    expect(signature).toBe(twilio.getExpectedTwilioSignature(TWILIO.authToken, signed, Object.fromEntries(form)));

    const reader = new TwilioReceipts({ authToken: TWILIO.authToken, publicUrl });
    const read = await reader.read(receiptCall(target, { "x-twilio-signature": signature }, form.toString()));
    const isValid = twilio.validateRequest(TWILIO.authToken, signature, publicUrl + target, Object.fromEntries(form));
    expect(read !== "forged").toBe(isValid);
    expect(isValid).toBe(!signed.includes("evil"));
  });
});

describe("Amazon's own client", () => {
  let standIn: SesStandIn;
  beforeAll(async () => {
    standIn = await new SesStandIn().start();
  });
  afterEach(() => void standIn.script.splice(0));
  afterAll(() => standIn.stop());

  const client = (credentials: { accessKeyId: string; secretAccessKey: string } = SES) =>
    new SESv2Client({ region: SES.region, endpoint: standIn.url, maxAttempts: 1, credentials });
  const command = () =>
    new SendEmailCommand({
      FromEmailAddress: "otp@countersign.example",
      Destination: { ToAddresses: ["ada@example.com"] },
      Content: { Raw: { Data: Buffer.from("Subject: hello\r\n\r\n    123456\r\n") } },
    });

  it("sends a message through the stand-in", async () => {
    const { MessageId } = await client().send(command());
    expect(MessageId).toMatch(/^0107/);
    expect(await standIn.messageTo("ada@example.com")).toMatchObject({ code: "123456" });
  });

  it.each([
    ["reject", "BadRequestException", 400],
    ["throttle", "TooManyRequestsException", 429],
  ] as const)("understands the error of the stand-in after %s", async (at, name, httpStatusCode) => {
    standIn.script.push({ at });
    const error: unknown = await client()
      .send(command())
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SESv2ServiceException);
    expect(error).toMatchObject({ name, $metadata: { httpStatusCode } });
  });

  it("is refused by the stand-in with an unknown key", async () => {
    const stranger = client({ accessKeyId: "AKIASTRANGER", secretAccessKey: "x" });
    await expect(stranger.send(command())).rejects.toMatchObject({ name: "UnrecognizedClientException" });
  });
});

describe("a stand-in", () => {
  it("emits an event when a message arrives, before the answer, and another one after the answer", async () => {
    const standIn = await new TwilioStandIn().start();
    const events: string[] = [];
    standIn.on("received", ({ to }) => events.push(`received ${to}`));
    standIn.on("message", ({ to }) => events.push(`message ${to}`));
    standIn.script.push({ at: "slow", ms: 1 }, { at: "reject" });
    const sender = new TwilioSender({ ...TWILIO, baseUrl: standIn.url });
    const sending = sender.send(sms("+15005550001"), forever);
    await once(standIn, "received");
    expect(events).toEqual(["received +15005550001"]);
    await sending;
    await expect(sender.send(sms("+15005550002"), forever)).rejects.toThrow("error 21211");
    expect(events).toEqual(["received +15005550001", "message +15005550001"]);
    sender.close();
    await standIn.stop();
  });
});

describe("a receipt from a stand-in", () => {
  const publicUrl = "https://otp.example.com";
  const application = newApplication();

  it.each([
    {
      provider: "Twilio",
      standIn: new TwilioStandIn(),
      open: (baseUrl: string) => new TwilioSender({ ...TWILIO, baseUrl, publicUrl }),
      reader: new TwilioReceipts({ ...TWILIO, publicUrl }),
      errorCode: 30005,
    },
    {
      provider: "Vonage",
      standIn: new VonageStandIn(application),
      open: (baseUrl: string) => new VonageSender({ ...VONAGE, baseUrl, application, publicUrl }),
      reader: new VonageReceipts(VONAGE),
      errorCode: 1190,
    },
  ])("for $provider is one that our reader understands", async ({ standIn, open, reader, errorCode }) => {
    const read: unknown[] = [];
    const server = createServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk);
      const header = (name: string) => request.headers[name]?.toString();
      read.push(await reader.read({ target: request.url ?? "", header, body: Buffer.concat(chunks) }));
      response.writeHead(204).end();
    });
    const ours = `http://127.0.0.1:${await listening(server)}`;

    await standIn.start();
    const sender = open(standIn.url);
    await sender.send(sms("+15005550001"), forever);
    sender.close();
    const message = await standIn.messageTo("+15005550001");
    expect(await standIn.receipt(message, "delivered", { server: ours })).toBe(204);
    const failed = standIn instanceof VonageStandIn ? "undeliverable" : "undelivered";
    await standIn.receipt(message, failed, { server: ours, errorCode });
    expect(read).toEqual([
      { reference: "reference-id_0", outcome: "delivered" },
      { reference: "reference-id_0", outcome: "failed", fault: "address" },
    ]);
    server.close();
    await standIn.stop();
  });
});
