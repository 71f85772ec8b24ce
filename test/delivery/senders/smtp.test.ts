import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { faultOfSmtp } from "../../../src/delivery/senders/smtp/faults.js";
import { SmtpSender } from "../../../src/delivery/senders/smtp/sender.js";
import { failure, forever, mail } from "../../support/fakes/deliveries.js";
import { RecordingSmtp } from "../../support/messages/smtp.js";

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
    ["521 for the recipient", { at: "rcpt", code: 521 }, "address"],
    ["550 for the recipient", { at: "rcpt", code: 550 }, "address"],
    ["551 for the recipient", { at: "rcpt", code: 551 }, "address"],
    ["552 for the recipient", { at: "rcpt", code: 552 }, "busy"],
    ["553 for the recipient", { at: "rcpt", code: 553 }, "address"],
    ["554 for the recipient", { at: "rcpt", code: 554 }, "route"],
    ["556 for the recipient", { at: "rcpt", code: 556 }, "address"],
    ["421 for the message", { at: "data", code: 421 }, "outage"],
    ["451 for the message", { at: "data", code: 451 }, "busy"],
    ["550 for the message", { at: "data", code: 550 }, "route"],
    ["552 for the message", { at: "data", code: 552 }, "busy"],
    ["554 for the message", { at: "data", code: 554 }, "route"],
  ] as const)("is whose fault it is by the reply, and has surely not gone: %s", async (_what, behaviour, fault) => {
    smtp.script.push(behaviour);
    const error = await failure(sender, mail("refused@example.com"));
    expect(error).toMatchObject({ fault, mayHaveGone: false });
    // A 421 on a connection that was used before, nodemailer tells as the loss of it.
    if (behaviour.code !== 421) expect(error.message).toBe(`SMTP reply ${behaviour.code}`);
    expect(error.whole).not.toMatch(/refused@example\.com|123456/);
  });

  it.each([
    ["no such mailbox", "rcpt", 550, "5.1.1", "address"],
    ["no such mailbox, told after the message", "data", 550, "5.1.1", "address"],
    ["no such domain", "rcpt", 554, "5.1.2", "address"],
    ["a mailbox that has moved", "rcpt", 551, "5.1.6", "address"],
    ["the syntax of our own address", "rcpt", 553, "5.1.7", "provider"],
    ["the domain of our own address", "rcpt", 550, "5.1.8", "provider"],
    ["a domain that takes no mail", "rcpt", 556, "5.1.10", "address"],
    ["a mailbox that is disabled", "rcpt", 550, "5.2.1", "address"],
    ["a mailbox that is full", "rcpt", 550, "5.2.2", "busy"],
    ["a mailbox that is over its quota", "rcpt", 552, "5.2.0", "busy"],
    ["a system that takes no mail", "rcpt", 521, "5.3.2", "route"],
    ["a message that is too large for the system", "data", 552, "5.3.4", "route"],
    ["no route", "rcpt", 550, "5.4.4", "route"],
    ["too many recipients", "rcpt", 550, "5.5.3", "route"],
    ["content that is not supported", "data", 550, "5.6.1", "route"],
    ["relaying denied", "rcpt", 550, "5.7.1", "route"],
    ["blocked", "data", 554, "5.7.1", "route"],
    ["a code that says nothing", "rcpt", 550, "5.0.0", "address"],
    ["a code that says nothing, of the message", "data", 550, "5.0.0", "route"],
    ["a code that nobody knows", "rcpt", 554, "5.1.99", "route"],
  ] as const)("is whose fault it is by the enhanced status code: %s", async (_what, at, code, enhanced, fault) => {
    smtp.script.push({ at, code, enhanced });
    const error = await failure(sender, mail("refused@example.com"));
    expect(error).toMatchObject({ message: `SMTP reply ${code} ${enhanced}`, fault, mayHaveGone: false });
    expect(error.whole).not.toMatch(/refused@example\.com|123456/);
  });

  it.each([
    ["a temporary one", "4.2.2"],
    ["an address of IPv4", "5.1.1.20"],
    ["one further on", "see 5.1.1"],
  ] as const)("goes by its reply when there is no enhanced status code in it: %s", async (_what, enhanced) => {
    smtp.script.push({ at: "rcpt", code: 554, enhanced });
    const error = await failure(sender, mail("refused@example.com"));
    expect(error).toMatchObject({ message: "SMTP reply 554", fault: "route" });
  });

  it("has its enhanced status code on each line of a long reply", () => {
    const response = "550-5.1.1 no such user\n550 5.1.1 see https://example.com/";
    const error = Object.assign(new Error(response), {
      code: "EENVELOPE",
      command: "RCPT TO",
      responseCode: 550,
      response,
    });
    expect(faultOfSmtp(error)).toMatchObject({ reply: 550, enhanced: "5.1.1", fault: "address" });
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
