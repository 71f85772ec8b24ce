import { generateKeyPairSync } from "node:crypto";
import { decodeJwt } from "jose";
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from "vitest";
import { vonageCode, vonageFault } from "../../../src/delivery/senders/vonage/faults.js";
import { VonageSender } from "../../../src/delivery/senders/vonage/sender.js";
import { failure, forever, sms } from "../../support/fakes/deliveries.js";
import { faultsOverHttp } from "../../support/providers/faults.js";
import { newApplication, VONAGE, VonageStandIn } from "../../support/providers/vonage.js";

const PUBLIC_URL = "https://otp.example.com";

const application = newApplication();

let vonage: VonageStandIn;
let sender: VonageSender;

beforeAll(async () => {
  vonage = await new VonageStandIn(application).start();
  sender = new VonageSender({ ...VONAGE, baseUrl: vonage.url, publicUrl: PUBLIC_URL });
});
afterEach(() => void vonage.script.splice(0));
afterAll(async () => {
  sender.close();
  await vonage.stop();
});

describe("a message through Vonage", () => {
  it("carries its from and to numbers, its validity and its webhook", async () => {
    await sender.send({ ...sms("+447700900000"), leftMs: 3_600_000 }, forever);
    const { call } = await vonage.messageTo("+447700900000");
    expect(JSON.parse(call.body)).toEqual({
      message_type: "text",
      channel: "sms",
      to: "447700900000",
      from: "Countersign",
      text: "123456 is your code – ü & more",
      sms: { encoding_type: "auto" },
      ttl: 3600,
      client_ref: "reference-id_0",
      webhook_url: "https://otp.example.com/providers/vonage/status",
      webhook_version: "v1",
    });
  });

  it("is valid for at least half an hour, and names no webhook without a public URL", async () => {
    const quiet = new VonageSender({ ...VONAGE, baseUrl: vonage.url });
    await quiet.send(sms("+447700900001"), forever);
    const body: unknown = JSON.parse((await vonage.messageTo("+447700900001")).call.body);
    expect(body).toMatchObject({ ttl: 1800 });
    expect(body).not.toHaveProperty("webhook_url");
    quiet.close();
  });
});

describe("a message through a Vonage application", () => {
  afterEach(() => void vi.useRealTimers());

  const at = (ms: number) => vi.useFakeTimers({ toFake: ["Date"], now: ms });
  const signedInAs = async (number: string, n: number) =>
    (await vonage.messageTo(number, n)).call.header("authorization").replace(/^Bearer /, "");

  it("is authenticated with a token, and without an application by the API key", async () => {
    const ours = new VonageSender({ ...VONAGE, apiSecret: "not needed", baseUrl: vonage.url, application });
    await ours.send(sms("+447700900010"), forever);
    const { application_id, iat = 0, exp, jti } = decodeJwt(await signedInAs("+447700900010", 1));
    expect({ application_id, exp }).toEqual({ application_id: application.id, exp: iat + 900 });
    expect(jti).toMatch(/^[0-9a-f-]{36}$/);
    ours.close();

    await sender.send(sms("+447700900010"), forever);
    expect(await signedInAs("+447700900010", 2)).toMatch(/^Basic /);
  });

  it("shares its token with other messages until shortly before the token expires", async () => {
    const ours = new VonageSender({ ...VONAGE, baseUrl: vonage.url, application });
    const start = 1_800_000_000_000;
    for (const minutes of [0, 13.9, 14]) {
      at(start + minutes * 60_000);
      await ours.send(sms("+447700900011"), forever);
    }
    const [first, second, third] = await Promise.all([1, 2, 3].map((n) => signedInAs("+447700900011", n)));
    expect(second).toBe(first);
    expect(decodeJwt(third ?? "")).toMatchObject({ iat: start / 1000 + 840, exp: start / 1000 + 1740 });
    expect(decodeJwt(third ?? "").jti).not.toBe(decodeJwt(first ?? "").jti);
    ours.close();
  });

  it.each([
    ["with the key of another application", { ...newApplication(), id: application.id }],
    ["under the id of another application", { ...application, id: "another" }],
  ])("fails as a fault of the provider when it is authenticated %s", async (_how, stranger) => {
    const other = new VonageSender({ ...VONAGE, baseUrl: vonage.url, application: stranger });
    expect(await failure(other, sms("+447700900012"))).toMatchObject({
      message: "Vonage 401, error unauthorized",
      fault: "provider",
      mayHaveGone: false,
    });
    other.close();
  });

  const pem = { privateKeyEncoding: { type: "pkcs8", format: "pem" } } as const;
  const publicKeyEncoding = { type: "spki", format: "pem" } as const;
  it.each([
    ["text that is not PEM", "secret-but-no-key"],
    ["a public key", application.publicKey],
    ["half a key", application.privateKey.slice(0, 800)],
    ["a key that is not RSA", generateKeyPairSync("ed25519", { ...pem, publicKeyEncoding }).privateKey],
    ["a key of 1024 bits", generateKeyPairSync("rsa", { ...pem, publicKeyEncoding, modulusLength: 1024 }).privateKey],
  ])("needs a private RSA key, and its sender does not open with %s", (_what, privateKey) => {
    const open = () => new VonageSender({ ...VONAGE, baseUrl: vonage.url, application: { id: "id", privateKey } });
    expect(open).toThrow(
      new TypeError("the private key of a Vonage application must be RSA of at least 2048 bits, in PEM"),
    );
  });
});

describe("a message to Vonage", () => {
  faultsOverHttp(
    () => vonage,
    (baseUrl) => new VonageSender({ ...VONAGE, baseUrl, publicUrl: PUBLIC_URL }),
    VONAGE.apiSecret,
  );

  it("fails with the error code of Vonage", async () => {
    vonage.script.push({ at: "reject" });
    expect((await failure(sender, sms("+447700900002"))).message).toBe("Vonage 422, error 1430");
  });

  it.each([
    ["our login", { apiSecret: "wrong" }, "Vonage 401, error unauthorized"],
    ["our from number", { from: "" }, "Vonage 422, error 1420"],
  ])("fails as a fault of the provider when Vonage refuses %s", async (_what, wrong, message) => {
    const stranger = new VonageSender({ ...VONAGE, baseUrl: vonage.url, ...wrong });
    expect(await failure(stranger, sms("+447700900002"))).toMatchObject({
      message,
      fault: "provider",
      mayHaveGone: false,
    });
    stranger.close();
  });
});

describe("the problem document from Vonage", () => {
  it.each([
    [{ type: "https://developer.vonage.com/api-errors/messages#1240" }, "1240", "address"],
    [{ type: "https://developer.nexmo.com/api-errors/messages-olympus#1070", title: "No credit" }, "1070", "provider"],
    [{ type: "https://developer.vonage.com/api-errors#low-balance" }, "low-balance", "provider"],
    [{ type: "about:blank", title: 1000 }, "1000", "throttled"],
    [{ type: "https://example.com/#447700900000", title: "447700900000" }, undefined, undefined],
    [{ type: "x#invalid-params", invalid_parameters: [{ name: "to" }] }, "invalid-params", "address"],
    [{ type: "x#invalid-params", invalid_parameters: [{ name: "to" }, { name: "from" }] }, "invalid-params", undefined],
    [{ type: "x#constructor" }, "constructor", undefined],
    ["<html>", undefined, undefined],
    [undefined, undefined, undefined],
  ])("%j has the code %s and the fault %s", (problem, code, fault) => {
    expect(vonageCode(problem)).toBe(code);
    expect(vonageFault(problem)).toBe(fault);
  });
});
