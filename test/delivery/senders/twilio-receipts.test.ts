import { describe, expect, it } from "vitest";
import { TwilioReceipts } from "../../../src/delivery/senders/twilio/receipts.js";
import { receiptCall } from "../../support/fakes/receipts.js";
import { TWILIO, twilioReceipt, twilioSignature } from "../../support/providers/twilio.js";

const PUBLIC_URL = "https://otp.example.com/base";
const TARGET = "/providers/twilio/status?ref=reference-id_0";
const receipts = new TwilioReceipts({ authToken: TWILIO.authToken, publicUrl: PUBLIC_URL });

/** The parts of a callback that a test makes wrong. */
interface Wrong {
  readonly target?: string;
  readonly url?: string;
  readonly authToken?: string;
  readonly signature?: string;
  readonly body?: string;
}

function call(form: URLSearchParams, wrong: Wrong = {}) {
  const { target = TARGET, url = PUBLIC_URL + target, authToken = TWILIO.authToken, body = form.toString() } = wrong;
  const { signature = twilioSignature(authToken, url, form) } = wrong;
  return receiptCall(target, { "x-twilio-signature": signature }, body);
}

const delivered = twilioReceipt("+15005550001", "delivered");

describe("a receipt from Twilio", () => {
  it.each([
    ["delivered", undefined, { outcome: "delivered" }],
    ["undelivered", 30003, { outcome: "failed", fault: "address" }],
    ["undelivered", 30004, { outcome: "failed", fault: "address" }],
    ["undelivered", 30005, { outcome: "failed", fault: "address" }],
    ["undelivered", 30006, { outcome: "failed", fault: "address" }],
    ["failed", 21610, { outcome: "failed", fault: "address" }],
    ["undelivered", 30007, { outcome: "failed", fault: "provider" }],
    ["failed", 30001, { outcome: "failed", fault: "provider" }],
    ["failed", undefined, { outcome: "failed", fault: "provider" }],
    ["canceled", undefined, { outcome: "failed", fault: "provider" }],
  ])("reports the outcome of the message (status %s, error %s)", async (status, errorCode, receipt) => {
    const form = twilioReceipt("+15005550001", status, errorCode);
    expect(await receipts.read(call(form))).toEqual({ reference: "reference-id_0", ...receipt });
  });

  it.each(["accepted", "queued", "sending", "sent", "unknown"])("is not final with the status %s", async (status) => {
    expect(await receipts.read(call(twilioReceipt("+15005550001", status)))).toBe("not final");
  });

  it("is not final without the reference of one of our messages", async () => {
    expect(await receipts.read(call(delivered, { target: "/providers/twilio/status" }))).toBe("not final");
  });

  it("is unreadable without a status", async () => {
    expect(await receipts.read(call(new URLSearchParams({ To: "+15005550001" })))).toBe("unreadable");
  });

  it.each([
    ["a default port that PUBLIC_URL leaves out", "https://otp.example.com:443/base"],
    ["no port", "https://otp.example.com/base"],
  ])("may be signed for a URL with %s", async (_what, base) => {
    expect(await receipts.read(call(delivered, { url: base + TARGET }))).toMatchObject({ outcome: "delivered" });
  });

  it.each(["", "#rc=5&rp=ct,rt,5xx"])("may be signed for a URL with the fragment %j", async (fragment) => {
    for (const base of [PUBLIC_URL, "https://otp.example.com:443/base"]) {
      const signed = call(delivered, { url: base + TARGET + fragment });
      expect(await receipts.read(signed)).toMatchObject({ outcome: "delivered" });
    }
  });

  it("may be signed for a URL with or without its non-default port", async () => {
    const publicUrl = "https://otp.example.com:8443";
    const behindPort = new TwilioReceipts({ authToken: TWILIO.authToken, publicUrl });
    for (const base of [publicUrl, "https://otp.example.com"])
      expect(await behindPort.read(call(delivered, { url: base + TARGET }))).toMatchObject({ outcome: "delivered" });
  });

  it.each([
    ["has no signature", { signature: "" }],
    ["is signed with another token", { authToken: "another" }],
    ["is signed for another host", { url: `https://evil.example.com${TARGET}` }],
    ["is signed for another reference", { url: `${PUBLIC_URL}/providers/twilio/status?ref=another` }],
    ["is signed for another fragment", { url: `${PUBLIC_URL}${TARGET}#rc=1` }],
    ["is signed for http", { url: `http://otp.example.com/base${TARGET}` }],
    ["has a changed body", { body: twilioReceipt("+15005550001", "failed").toString() }],
    ["has an added field", { body: `${delivered}&ErrorCode=30005` }],
    ["has a signature of another length", { signature: "A" }],
  ])("counts as forged when it %s", async (_how, wrong) => {
    expect(await receipts.read(call(delivered, wrong))).toBe("forged");
  });
});
