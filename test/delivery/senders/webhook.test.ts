import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { WebhookSender } from "../../../src/delivery/senders/webhook/sender.js";
import { failure, forever, sms } from "../../support/fakes/deliveries.js";
import { faultsOverHttp } from "../../support/providers/faults.js";
import { WEBHOOK, WebhookStandIn } from "../../support/providers/webhook.js";

let service: WebhookStandIn;
let sender: WebhookSender;

beforeAll(async () => {
  service = await new WebhookStandIn().start();
  sender = new WebhookSender({ ...WEBHOOK, url: `${service.url}/sms?tenant=1` });
});
afterEach(() => void service.script.splice(0));
afterAll(async () => {
  sender.close();
  await service.stop();
});

describe("a message by webhook", () => {
  it("carries its to number and its validity to a receiver that uses the Standard Webhooks library", async () => {
    await sender.send(sms("+15005550010"), forever);
    const { call } = await service.messageTo("+15005550010");
    expect(call.target).toBe("/sms?tenant=1");
    expect(call.header("content-type")).toBe("application/json");
    expect(JSON.parse(call.body)).toEqual({
      type: "sms.send",
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      data: {
        to: "+15005550010",
        text: "123456 is your code – ü & more",
        reference: "reference-id_0",
        expires_in: 300,
      },
    });
  });

  it("has the same id when it is sent again", async () => {
    await sender.send(sms("+15005550011"), forever);
    await sender.send({ ...sms("+15005550011"), reference: "another" }, forever);
    const ids = service.messagesTo("+15005550011").map(({ call }) => call.header("webhook-id"));
    expect(ids).toEqual(["request-id_0", "request-id_0"]);
  });

  it("can be signed with a secret in plain text", async () => {
    const secret = "any text of 24 bytes and more: ü";
    const plain = await new WebhookStandIn(Buffer.from(secret).toString("base64")).start();
    const other = new WebhookSender({ url: plain.url, secret });
    await other.send(sms("+15005550012"), forever);
    other.close();
    await plain.stop();
  });
});

describe("a message to the webhook service", () => {
  faultsOverHttp(
    () => service,
    (url) => new WebhookSender({ ...WEBHOOK, url }),
    WEBHOOK.secret,
  );

  it.each([
    [301, "provider"],
    [400, "route"],
    [403, "provider"],
    [404, "provider"],
    [405, "provider"],
    [415, "route"],
    [408, "outage"],
    [410, "address"],
    [422, "address"],
    [425, "outage"],
    [502, "outage"],
  ])("that is answered with status %i fails with the fault: %s", async (status, fault) => {
    service.script.push({ at: "fail", status });
    expect(await failure(sender, sms("+15005550001"))).toMatchObject({ message: `Webhook ${status}`, fault });
  });

  it("fails as a fault of the provider when the service has another secret", async () => {
    const stranger = new WebhookSender({ url: service.url, secret: "x".repeat(24) });
    expect(await failure(stranger, sms("+15005550001"))).toMatchObject({ message: "Webhook 401", fault: "provider" });
    stranger.close();
  });
});
