import { describe, expect, it } from "vitest";
import { VonageReceipts } from "../../../src/delivery/senders/vonage/receipts.js";
import { receiptCall } from "../../support/fakes/receipts.js";
import { VONAGE, vonageReceipt, vonageToken } from "../../support/providers/vonage.js";

const receipts = new VonageReceipts(VONAGE);
const call = (body: string, token = vonageToken(body)) =>
  receiptCall("/providers/vonage/status", { authorization: `Bearer ${token}` }, body);
const status = (status: string, errorCode?: number) =>
  vonageReceipt("+447700900000", "reference-id_0", status, errorCode);

const HOUR = 3600;
const now = () => Math.floor(Date.now() / 1000);
const delivered = status("delivered");

describe("a receipt from Vonage", () => {
  it.each([
    ["delivered", undefined, { outcome: "delivered" }],
    ["undeliverable", 1190, { outcome: "failed", fault: "address" }],
    ["rejected", 1240, { outcome: "failed", fault: "address" }],
    ["rejected", 1210, { outcome: "failed", fault: "provider" }],
    ["rejected", 1000, { outcome: "failed", fault: "provider" }],
    ["undeliverable", undefined, { outcome: "failed", fault: "provider" }],
  ])("reports the outcome of the message (status %s, error %s)", async (is, errorCode, receipt) => {
    expect(await receipts.read(call(status(is, errorCode)))).toEqual({ reference: "reference-id_0", ...receipt });
  });

  it.each(["submitted", "unknown"])("is not final with the status %s", async (is) => {
    expect(await receipts.read(call(status(is)))).toBe("not final");
  });

  it("is not final without the reference of one of our messages", async () => {
    expect(await receipts.read(call(vonageReceipt("+447700900000", undefined, "delivered")))).toBe("not final");
  });

  it.each(["", "{", "[]", '{"client_ref":"reference-id_0"}', "null"])(
    "is unreadable when its body is %j",
    async (body) => {
      expect(await receipts.read(call(body))).toBe("unreadable");
    },
  );

  it("is accepted a day after it was signed, because Vonage retries for that long", async () => {
    const token = vonageToken(delivered, { iat: now() - 24 * HOUR });
    expect(await receipts.read(call(delivered, token))).toMatchObject({ outcome: "delivered" });
  });

  it.each([
    ["has no token", ""],
    ["has a token that is not a JWT", "abc.def"],
    ["is signed with another secret", vonageToken(delivered, { secret: "another" })],
    ["is signed for another body", vonageToken(status("rejected"))],
    ["has a signature that covers no body", vonageToken(delivered, { payload_hash: undefined })],
    ["names another account", vonageToken(delivered, { api_key: "another" })],
    ["names no account", vonageToken(delivered, { api_key: undefined })],
    ["names another issuer", vonageToken(delivered, { iss: "Another" })],
    ["does not say when it was signed", vonageToken(delivered, { iat: undefined })],
    ["was signed two days ago", vonageToken(delivered, { iat: now() - 48 * HOUR })],
    ["was signed in the future", vonageToken(delivered, { iat: now() + 24 * HOUR })],
    ["says that it is unsigned", vonageToken(delivered, { alg: "none" })],
  ])("counts as forged when it %s", async (_how, token) => {
    expect(await receipts.read(call(delivered, token))).toBe("forged");
  });
});
