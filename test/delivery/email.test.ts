import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { SmtpSender } from "../../src/delivery/email.js";
import type { Message } from "../../src/delivery/sender.js";
import { RecordingSmtp } from "../support/smtp.js";

const FROM = { name: "Countersign", address: "otp@countersign.example" };
const forever = new AbortController().signal;

let smtp: RecordingSmtp;
let sender: SmtpSender;

beforeAll(async () => {
  smtp = await new RecordingSmtp().start();
  sender = new SmtpSender(smtp.url, FROM);
});
afterEach(() => void smtp.script.splice(0));
afterAll(async () => {
  sender.close();
  await smtp.stop();
});

const message = (address: string): Message => ({
  request: "request-id_0",
  address,
  subject: "123456 is your code – ü",
  text: "    123456\n",
  html: "<b>123456</b>",
});

describe("a mail", () => {
  it("says who it is from and to, that a machine wrote it, and which send it is", async () => {
    await sender.send(message("Ada@example.com"), forever);
    const mail = await smtp.mailTo("Ada@example.com");
    expect(mail.from).toBe("otp@countersign.example");
    expect(mail.header("From")).toBe("Countersign <otp@countersign.example>");
    expect(mail.header("To")).toBe("Ada@example.com");
    expect(mail.header("Auto-Submitted")).toBe("auto-generated");
    expect(mail.header("X-Auto-Response-Suppress")).toBe("All");
    expect(mail.header("Message-ID")).toBe("<request-id_0@countersign.example>");
    expect(mail.header("Content-Type")).toMatch(/^multipart\/alternative/);
    expect(mail.code).toBe("123456");
  });

  it("has the same Message-ID when it is sent again", async () => {
    await sender.send(message("again@example.com"), forever);
    await sender.send(message("again@example.com"), forever);
    const ids = smtp.mailsTo("again@example.com").map((mail) => mail.header("Message-ID"));
    expect(ids).toEqual([ids[0], ids[0]]);
  });

  it("goes out over connections that stay open", async () => {
    await sender.send(message("first@example.com"), forever);
    const before = smtp.connections;
    for (let n = 0; n < 10; n++) await sender.send(message(`pool${n}@example.com`), forever);
    expect(smtp.connections).toBe(before);
  });
});

describe("a mail that is not taken", () => {
  it.each([
    ["421 for the recipient", { at: "rcpt", code: 421 }, false],
    ["450 for the recipient", { at: "rcpt", code: 450 }, false],
    ["451 for the message", { at: "data", code: 451 }, false],
    ["550 for the recipient", { at: "rcpt", code: 550 }, true],
    ["554 for the message", { at: "data", code: 554 }, true],
    ["a drop after DATA", { at: "drop-after-data" }, false],
  ] as const)("is permanent or not by the reply: %s", async (_what, behaviour, permanent) => {
    smtp.script.push(behaviour);
    const error: unknown = await sender
      .send(message("refused@example.com"), forever)
      .catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: "DeliveryError", permanent });
    expect(String(error)).not.toContain("refused@example.com");
  });

  it("is not permanent when it is our login that is refused", async () => {
    const stranger = new SmtpSender(smtp.url.replace("//", "//user:wrong@"), FROM);
    await expect(stranger.send(message("ada@example.com"), forever)).rejects.toMatchObject({
      message: "SMTP reply 535",
      permanent: false,
    });
    stranger.close();
  });

  it("is not permanent when there is no server", async () => {
    const nowhere = new SmtpSender("smtp://127.0.0.1:1", FROM);
    await expect(nowhere.send(message("ada@example.com"), forever)).rejects.toMatchObject({ permanent: false });
    nowhere.close();
  });

  it("does not go out after its code has died", async () => {
    const death = new AbortController();
    smtp.script.push({ at: "hang-on-rcpt" });
    const sending = sender.send(message("late@example.com"), death.signal);
    await new Promise((resolve) => smtp.once("rcpt", resolve));
    death.abort();
    await expect(sending).rejects.toMatchObject({ name: "DeliveryError" });
    await expect(sender.send(message("later@example.com"), AbortSignal.abort())).rejects.toMatchObject({
      name: "DeliveryError",
    });
    expect([...smtp.mailsTo("late@example.com"), ...smtp.mailsTo("later@example.com")]).toEqual([]);
  });
});
