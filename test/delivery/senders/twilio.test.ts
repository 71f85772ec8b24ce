import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { TwilioSender } from "../../../src/delivery/senders/twilio/sender.js";
import { failure, forever, sms } from "../../support/fakes/deliveries.js";
import { faultsOverHttp } from "../../support/providers/faults.js";
import { TWILIO, TwilioStandIn } from "../../support/providers/twilio.js";

const PUBLIC_URL = "https://otp.example.com/base";
const SERVICE = `MG${"0".repeat(32)}`;

let twilio: TwilioStandIn;
let sender: TwilioSender;

beforeAll(async () => {
  twilio = await new TwilioStandIn().start();
  sender = new TwilioSender({ ...TWILIO, baseUrl: twilio.url, publicUrl: PUBLIC_URL });
});
afterEach(() => void twilio.script.splice(0));
afterAll(async () => {
  sender.close();
  await twilio.stop();
});

describe("a message through Twilio", () => {
  it("carries its from and to numbers, its validity and its callback", async () => {
    await sender.send(sms("+15005550010"), forever);
    const { call } = await twilio.messageTo("+15005550010");
    expect(Object.fromEntries(new URLSearchParams(call.body))).toEqual({
      To: "+15005550010",
      From: TWILIO.from,
      Body: "123456 is your code – ü & more",
      ValidityPeriod: "300",
      StatusCallback: "https://otp.example.com/base/providers/twilio/status?ref=reference-id_0#rc=5&rp=ct,rt,5xx",
    });
  });

  it("can come from a messaging service, and asks for no receipts without a public URL", async () => {
    const service = new TwilioSender({ ...TWILIO, baseUrl: twilio.url, from: SERVICE });
    await service.send(sms("+15005550011"), forever);
    const form = new URLSearchParams((await twilio.messageTo("+15005550011")).call.body);
    expect([...form.keys()]).toEqual(["To", "MessagingServiceSid", "Body", "ValidityPeriod"]);
    expect(form.get("MessagingServiceSid")).toBe(SERVICE);
    service.close();
  });

  it.each([
    [400, "1"],
    [59_999, "59"],
    [86_400_000, "36000"],
  ])("with %i ms left stays in Twilio's queue for at most %s s", async (leftMs, validity) => {
    await sender.send({ ...sms(`+1500555${validity.padStart(5, "0")}`), leftMs }, forever);
    const { call } = await twilio.messageTo(`+1500555${validity.padStart(5, "0")}`);
    expect(new URLSearchParams(call.body).get("ValidityPeriod")).toBe(validity);
  });
});

describe("a message to Twilio", () => {
  faultsOverHttp(
    () => twilio,
    (baseUrl) => new TwilioSender({ ...TWILIO, baseUrl, publicUrl: PUBLIC_URL }),
    TWILIO.authToken,
  );

  it("fails with the error code of Twilio", async () => {
    twilio.script.push({ at: "reject" });
    expect((await failure(sender, sms("+15005550001"))).message).toBe("Twilio 400, error 21211");
  });

  it.each([
    ["our login", { authToken: "wrong" }, "Twilio 401, error 20003"],
    ["our account", { accountSid: "AC2" }, "Twilio 404, error 20404"],
    ["our from number", { from: "" }, "Twilio 400, error 21603"],
  ])("fails as a fault of the provider when Twilio refuses %s", async (_what, wrong, message) => {
    const stranger = new TwilioSender({ ...TWILIO, baseUrl: twilio.url, ...wrong });
    expect(await failure(stranger, sms("+15005550001"))).toMatchObject({
      message,
      fault: "provider",
      mayHaveGone: false,
    });
    stranger.close();
  });
});
