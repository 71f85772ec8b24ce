import { beforeEach, describe, expect, it } from "vitest";
import { Deliverer } from "../../src/delivery/deliver.js";
import { Templates } from "../../src/delivery/render.js";
import type { Message } from "../../src/delivery/sender.js";
import { digestCode } from "../../src/otp/code.js";
import { DeliveryError } from "../../src/otp/delivery.js";
import { deriveKeyring } from "../../src/otp/keyring.js";
import { type SealedOrder, sealOrder } from "../../src/otp/order.js";
import { newRequestId } from "../../src/otp/request-id.js";
import { MemoryChallenges } from "../support/memory-challenges.js";

const OLD = "the old secret, which is long enough";
const NEW = "the new secret, which is long enough";
const LIFE_MS = 600_000;
const templates = Templates.load(new URL("../../templates/", import.meta.url));

let challenges: MemoryChallenges;
let sent: Message[];
let failNext: DeliveryError | undefined;

beforeEach(() => {
  challenges = new MemoryChallenges();
  sent = [];
  failNext = undefined;
});

const sender = {
  send: async (message: Message) => {
    const failure = failNext;
    failNext = undefined;
    if (failure) throw failure;
    sent.push(message);
  },
};

function delivererWith(...secrets: [string, ...string[]]): Deliverer {
  return new Deliverer({
    challenges,
    keyring: deriveKeyring(secrets),
    templates,
    sender,
    senderName: "Countersign",
    codeLength: 6,
    lifeMs: LIFE_MS,
    now: () => challenges.now,
  });
}

const orderUnder = (secret: string): SealedOrder =>
  sealOrder(deriveKeyring([secret]), {
    request: newRequestId(challenges.now),
    challenge: "address.purpose",
    channel: "email",
    address: "Ada@example.com",
    purpose: "login",
    locale: "",
  });

const codeOf = (message: Message | undefined) => /^ {4}(\d{6})$/m.exec(message?.text ?? "")?.[1];

async function verifies(code: string | undefined, secret = OLD): Promise<boolean> {
  const digests = [digestCode(deriveKeyring([secret])[0], "address.purpose", code ?? "")];
  const judged = await challenges.attempt(
    "address.purpose",
    { digests, request: undefined },
    { budget: 5, budgetLifeMs: 1 },
  );
  return judged.outcome === "correct";
}

describe("a delivery", () => {
  it("mails a code that verifies to the address as given", async () => {
    expect(await delivererWith(OLD).deliver(orderUnder(OLD))).toBe("sent");
    expect(sent).toMatchObject([
      { address: "Ada@example.com", subject: expect.stringContaining(String(codeOf(sent[0]))) },
    ]);
    expect(sent[0]?.text).toContain("10 minutes");
    expect(await verifies(codeOf(sent[0]))).toBe(true);
  });

  it("sends the same code when it runs again, sent or not the first time", async () => {
    const deliverer = delivererWith(OLD);
    const order = orderUnder(OLD);
    await deliverer.deliver(order);
    failNext = new DeliveryError("SMTP reply 450", false);
    await expect(deliverer.deliver(order)).rejects.toThrow("SMTP reply 450");
    await deliverer.deliver(order);
    expect(sent.map(codeOf)).toEqual([codeOf(sent[0]), codeOf(sent[0])]);
    expect(sent.map(({ request }) => request)).toEqual([order.request, order.request]);
  });

  it("sends the live code again for another request, and says what is left of its life", async () => {
    const deliverer = delivererWith(OLD);
    await deliverer.deliver(orderUnder(OLD));
    challenges.now += 240_000;
    await deliverer.deliver(orderUnder(OLD));
    expect(codeOf(sent[1])).toBe(codeOf(sent[0]));
    expect(sent[1]?.text).toContain("6 minutes");
  });

  it("sends nothing once the code was used", async () => {
    const deliverer = delivererWith(OLD);
    const order = orderUnder(OLD);
    await deliverer.deliver(order);
    await verifies(codeOf(sent[0]));
    expect(await deliverer.deliver(order)).toBe("superseded");
    expect(sent).toHaveLength(1);
  });

  it("makes and sends nothing for a request that has waited for longer than a code lives", async () => {
    const order = orderUnder(OLD);
    challenges.now += LIFE_MS;
    expect(await delivererWith(OLD).deliver(order)).toBe("expired");
    expect(sent).toEqual([]);
    expect(
      await challenges.store(
        "address.purpose",
        "probe",
        { digest: "", sealed: "fresh" },
        { lifeMs: 1, reuseFromMs: 0 },
      ),
    ).toMatchObject({
      sealed: "fresh",
    });
  });

  it("sends a code made under the old secret while that is in the list", async () => {
    const order = orderUnder(OLD);
    failNext = new DeliveryError("SMTP reply 450", false);
    await delivererWith(OLD)
      .deliver(order)
      .catch(() => undefined);
    await delivererWith(NEW, OLD).deliver(order);
    expect(await verifies(codeOf(sent[0]), OLD)).toBe(true);
  });

  it("cannot be read without the secret that sealed its order", async () => {
    await expect(delivererWith(NEW).deliver(orderUnder(OLD))).rejects.toThrow(/does not open/);
    expect(sent).toEqual([]);
  });
});
