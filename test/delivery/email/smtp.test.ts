import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { SmtpSender } from "../../../src/delivery/email/smtp.js";
import { failure, forever, mail } from "../../support/deliveries.js";
import { RecordingSmtp } from "../../support/smtp.js";

const FROM = { name: "Countersign", address: "otp@countersign.example" };

let smtp: RecordingSmtp;
let sender: SmtpSender;

beforeAll(async () => {
  smtp = await new RecordingSmtp().start();
  sender = new SmtpSender(smtp.url, FROM);
});
afterEach(() => {
  smtp.script.splice(0);
  delete smtp.refuses.greeting;
  delete smtp.refuses.login;
  delete smtp.refuses.mail;
});
afterAll(async () => {
  sender.close();
  await smtp.stop();
});

describe("a mail", () => {
  it("says who it is from and to, that a machine wrote it, and which send it is", async () => {
    await sender.send(mail("Ada@example.com"), forever);
    const taken = await smtp.mailTo("Ada@example.com");
    expect(taken.from).toBe("otp@countersign.example");
    expect(taken.header("From")).toBe("Countersign <otp@countersign.example>");
    expect(taken.header("To")).toBe("Ada@example.com");
    expect(taken.header("Auto-Submitted")).toBe("auto-generated");
    expect(taken.header("X-Auto-Response-Suppress")).toBe("All");
    expect(taken.header("Message-ID")).toBe("<request-id_0@countersign.example>");
    expect(taken.header("Content-Type")).toMatch(/^multipart\/alternative/);
    expect(taken.code).toBe("123456");
  });

  it("has the same Message-ID when it is sent again", async () => {
    await sender.send(mail("again@example.com"), forever);
    await sender.send(mail("again@example.com"), forever);
    const ids = smtp.mailsTo("again@example.com").map((taken) => taken.header("Message-ID"));
    expect(ids).toEqual([ids[0], ids[0]]);
  });

  it("goes out over connections that stay open", async () => {
    await sender.send(mail("first@example.com"), forever);
    const before = smtp.connections;
    for (let n = 0; n < 10; n++) await sender.send(mail(`pool${n}@example.com`), forever);
    expect(smtp.connections).toBe(before);
  });
});

describe("a mail that is not taken", () => {
  it.each([
    ["421 for the recipient", { at: "rcpt", code: 421 }, "outage"],
    ["450 for the recipient", { at: "rcpt", code: 450 }, "busy"],
    ["452 for the recipient", { at: "rcpt", code: 452 }, "busy"],
    ["503 for the recipient", { at: "rcpt", code: 503 }, "outage"],
    ["530 for the recipient", { at: "rcpt", code: 530 }, "provider"],
    ["550 for the recipient", { at: "rcpt", code: 550 }, "address"],
    ["421 for the message", { at: "data", code: 421 }, "outage"],
    ["451 for the message", { at: "data", code: 451 }, "busy"],
    ["554 for the message", { at: "data", code: 554 }, "address"],
  ] as const)("is whose fault it is by the reply, and has surely not gone: %s", async (_what, behaviour, fault) => {
    smtp.script.push(behaviour);
    const error = await failure(sender, mail("refused@example.com"));
    expect(error).toMatchObject({ fault, mayHaveGone: false });
    // A 421 on a connection that was used before, nodemailer tells as the loss of it.
    if (behaviour.code !== 421) expect(error.message).toBe(`SMTP reply ${behaviour.code}`);
    expect(error.whole).not.toMatch(/refused@example\.com|123456/);
  });

  it.each([
    ["554 in the greeting", { greeting: 554 }, "provider"],
    ["421 in the greeting", { greeting: 421 }, "outage"],
    ["450 in the greeting", { greeting: 450 }, "outage"],
    ["535 to the login", { login: 535 }, "provider"],
    ["454 to the login", { login: 454 }, "outage"],
    ["421 to the login", { login: 421 }, "outage"],
    ["550 for our own address", { mail: 550 }, "provider"],
    ["452 for our own address", { mail: 452 }, "outage"],
  ] as const)("is the provider's, or an outage, when it is us who are refused: %s", async (_what, refuses, fault) => {
    Object.assign(smtp.refuses, refuses);
    const user = "login" in refuses ? "//user:hunter2@" : "//";
    const stranger = new SmtpSender(smtp.url.replace("//", user), FROM);
    const error = await failure(stranger, mail("ada@example.com"));
    expect(error).toMatchObject({ fault, mayHaveGone: false });
    expect(error.whole).not.toMatch(/ada@example\.com|hunter2|123456/);
    stranger.close();
  });

  it.each([
    ["no server", "smtp://127.0.0.1:1"],
    ["no such host", "smtp://nowhere.invalid"],
  ])("is an outage, and has surely not gone: %s", async (_what, url) => {
    const nowhere = new SmtpSender(url, FROM);
    expect(await failure(nowhere, mail("ada@example.com"))).toMatchObject({ fault: "outage", mayHaveGone: false });
    nowhere.close();
  });

  it.each([
    ["before its content was asked for", { at: "drop-on-rcpt" }, false],
    ["after its content", { at: "drop-after-data" }, true],
  ] as const)("may have gone or not when the server hangs up %s", async (_when, behaviour, mayHaveGone) => {
    smtp.script.push(behaviour);
    expect(await failure(sender, mail("dropped@example.com"))).toMatchObject({ fault: "outage", mayHaveGone });
  });

  it.each([
    ["before its content was asked for", { at: "hang-on-rcpt" }, "rcpt", false],
    ["after its content", { at: "hang-after-data" }, "mail", true],
  ] as const)("may have gone or not when its code dies %s", async (_when, behaviour, event, mayHaveGone) => {
    const death = new AbortController();
    smtp.script.push(behaviour);
    smtp.once(event, () => death.abort());
    const error = await failure(sender, mail("late@example.com"), death.signal);
    expect(error).toMatchObject({ message: "SMTP fault EABORT", fault: "outage", mayHaveGone });
  });

  it("is not sent at all once its code has died", async () => {
    const error = await failure(sender, mail("later@example.com"), AbortSignal.abort());
    expect(error).toMatchObject({ fault: "outage", mayHaveGone: false });
    expect(smtp.mailsTo("later@example.com")).toEqual([]);
  });
});

describe("a connection that the server closed while it was idle", () => {
  it("costs one outage at the most, in which nothing has gone", async () => {
    await sender.send(mail("before@example.com"), forever);
    smtp.dropConnections();
    const outcome = await sender.send(mail("after@example.com"), forever).catch((error: unknown) => error);
    if (outcome !== undefined) expect(outcome).toMatchObject({ fault: "outage", mayHaveGone: false });
    await sender.send(mail("after@example.com"), forever);
  });
});
