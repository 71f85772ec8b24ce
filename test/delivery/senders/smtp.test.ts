import { once } from "node:events";
import { SMTPServer } from "smtp-server";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { faultOfSmtp } from "../../../src/delivery/senders/smtp/faults.js";
import { SmtpSender } from "../../../src/delivery/senders/smtp/sender.js";
import { newAuthority } from "../../support/api/certificates.js";
import { failure, forever, mail } from "../../support/fakes/deliveries.js";
import { RecordingSmtp } from "../../support/messages/smtp.js";
import { type Rule, StrictSmtp } from "../../support/messages/strict-smtp.js";

const FROM = { name: "Countersign", address: "otp@countersign.example" };

let smtp: RecordingSmtp;
let sender: SmtpSender;

beforeAll(async () => {
  smtp = await new RecordingSmtp().start();
  sender = smtpSender(smtp.url);
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

describe("an SMTP mail", () => {
  it("names its author, its recipient and its request, and says that a machine wrote it", async () => {
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

  it("comes from a client that introduces itself by the domain of MAIL_FROM, or by SMTP_NAME", async () => {
    await sender.send(mail("by-domain@example.com"), forever);
    expect((await smtp.mailTo("by-domain@example.com")).client).toBe("countersign.example");
    const named = smtpSender(smtp.url, { name: "worker-1.example.net" });
    await named.send(mail("by-name@example.com"), forever);
    expect((await smtp.mailTo("by-name@example.com")).client).toBe("worker-1.example.net");
    named.close();
  });

  it("has the same Message-ID when it is sent again", async () => {
    await sender.send(mail("again@example.com"), forever);
    await sender.send(mail("again@example.com"), forever);
    const ids = smtp.mailsTo("again@example.com").map((taken) => taken.header("Message-ID"));
    expect(ids).toEqual([ids[0], ids[0]]);
  });
});

describe("an SMTP mail that does not go out", () => {
  it.each([
    ["421 for the recipient", { at: "rcpt", code: 421 }, "connection"],
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
    ["421 for the message", { at: "data", code: 421 }, "connection"],
    ["451 for the message", { at: "data", code: 451 }, "busy"],
    ["550 for the message", { at: "data", code: 550 }, "route"],
    ["552 for the message", { at: "data", code: 552 }, "busy"],
    ["554 for the message", { at: "data", code: 554 }, "route"],
  ] as const)(
    "has the fault that belongs to the reply code, and certainly has not gone: %s",
    async (_what, behaviour, fault) => {
      smtp.script.push(behaviour);
      const error = await failure(sender, mail("refused@example.com"));
      expect(error).toMatchObject({ fault, mayHaveGone: false });
      expect(error.message).toBe(`SMTP reply ${behaviour.code}`);
      expect(error.whole).not.toMatch(/refused@example\.com|123456/);
    },
  );

  it.each([
    ["no such mailbox", "rcpt", 550, "5.1.1", "address"],
    ["no such mailbox, in the reply to the message", "data", 550, "5.1.1", "address"],
    ["no such domain", "rcpt", 554, "5.1.2", "address"],
    ["a mailbox that has moved", "rcpt", 551, "5.1.6", "address"],
    ["the syntax of our address", "rcpt", 553, "5.1.7", "provider"],
    ["the domain of our address", "rcpt", 550, "5.1.8", "provider"],
    ["a domain that accepts no mail", "rcpt", 556, "5.1.10", "address"],
    ["a mailbox that is disabled", "rcpt", 550, "5.2.1", "address"],
    ["a mailbox that is full", "rcpt", 550, "5.2.2", "busy"],
    ["a mailbox that is over its quota", "rcpt", 552, "5.2.0", "busy"],
    ["a system that accepts no mail", "rcpt", 521, "5.3.2", "route"],
    ["a message that is too large for the system", "data", 552, "5.3.4", "route"],
    ["no route", "rcpt", 550, "5.4.4", "route"],
    ["too many recipients", "rcpt", 550, "5.5.3", "route"],
    ["content that is not supported", "data", 550, "5.6.1", "route"],
    ["relaying denied", "rcpt", 550, "5.7.1", "route"],
    ["blocked", "data", 554, "5.7.1", "route"],
    ["an unspecific code for the recipient", "rcpt", 550, "5.0.0", "address"],
    ["an unspecific code for the message", "data", 550, "5.0.0", "route"],
    ["a code that is not defined", "rcpt", 554, "5.1.99", "route"],
  ] as const)(
    "has the fault that belongs to the enhanced status code: %s",
    async (_what, at, code, enhanced, fault) => {
      smtp.script.push({ at, code, enhanced });
      const error = await failure(sender, mail("refused@example.com"));
      expect(error).toMatchObject({ message: `SMTP reply ${code} ${enhanced}`, fault, mayHaveGone: false });
      expect(error.whole).not.toMatch(/refused@example\.com|123456/);
    },
  );

  it.each([
    ["a temporary code", "4.2.2"],
    ["an IPv4 address", "5.1.1.20"],
    ["a code later in the text", "see 5.1.1"],
  ] as const)(
    "has the fault that belongs to the reply code if the text does not start with a permanent enhanced code: %s",
    async (_what, enhanced) => {
      smtp.script.push({ at: "rcpt", code: 554, enhanced });
      const error = await failure(sender, mail("refused@example.com"));
      expect(error).toMatchObject({ message: "SMTP reply 554", fault: "route" });
    },
  );

  it("has its enhanced status code found in a reply of several lines", () => {
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
    ["550 for our address", { mail: 550 }, "provider"],
    ["452 for our address", { mail: 452 }, "outage"],
  ] as const)(
    "is the provider's fault or an outage if the server refuses us rather than the recipient: %s",
    async (_what, refuses, fault) => {
      Object.assign(smtp.refuses, refuses);
      const user = "login" in refuses ? "//user:hunter2@" : "//";
      const stranger = smtpSender(smtp.url.replace("//", user));
      const error = await failure(stranger, mail("ada@example.com"));
      expect(error).toMatchObject({ fault, mayHaveGone: false });
      expect(error.whole).not.toMatch(/ada@example\.com|hunter2|123456/);
      stranger.close();
    },
  );

  it.each([
    ["nothing listens", "smtp://127.0.0.1:1"],
    ["the host does not exist", "smtp://nowhere.invalid"],
  ])("is an outage, and certainly has not gone, without a server: %s", async (_what, url) => {
    const nowhere = smtpSender(url);
    expect(await failure(nowhere, mail("ada@example.com"))).toMatchObject({ fault: "outage", mayHaveGone: false });
    nowhere.close();
  });

  it("names the code of the system or of TLS, so that an operator can tell why there is no connection", async () => {
    const secure = new SMTPServer({ secure: true, ...(await newAuthority("mail.example.com")), logger: false });
    secure.on("error", () => undefined);
    secure.listen(0, "127.0.0.1");
    await once(secure.server, "listening");
    const address = secure.server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    for (const [url, code] of [
      ["smtp://127.0.0.1:1", "ECONNREFUSED"],
      [smtp.url.replace("smtp:", "smtps:"), "ERR_SSL_WRONG_VERSION_NUMBER"],
      [`smtps://127.0.0.1:${port}`, "DEPTH_ZERO_SELF_SIGNED_CERT"],
    ] as const) {
      const unconnected = smtpSender(url);
      expect(await failure(unconnected, mail("ada@example.com"))).toMatchObject({ message: `SMTP fault ${code}` });
      unconnected.close();
    }
    await new Promise<void>((resolve) => secure.close(resolve));
  });

  it("names the enhanced status code of a temporary reply", async () => {
    smtp.script.push({ at: "rcpt", code: 450, enhanced: "4.7.1" });
    const error = await failure(sender, mail("greylisted@example.com"));
    expect(error).toMatchObject({ message: "SMTP reply 450 4.7.1", fault: "busy" });
  });

  it.each([
    ["certainly has not gone", "before the server asks for its content", { at: "drop-on-rcpt" }, false],
    ["may have gone", "after the server has its content", { at: "drop-after-data" }, true],
  ] as const)("%s if the connection breaks %s", async (_what, _when, behaviour, mayHaveGone) => {
    smtp.script.push(behaviour);
    expect(await failure(sender, mail("dropped@example.com"))).toMatchObject({ fault: "outage", mayHaveGone });
  });

  it.each([
    ["certainly has not gone", "before the server asks for its content", { at: "hang-on-rcpt" }, "rcpt", false],
    ["may have gone", "after the server has its content", { at: "hang-after-data" }, "mail", true],
  ] as const)("%s if its signal aborts %s", async (_what, _when, behaviour, event, mayHaveGone) => {
    const abort = new AbortController();
    smtp.script.push(behaviour);
    smtp.once(event, () => abort.abort());
    const error = await failure(sender, mail("late@example.com"), abort.signal);
    expect(error).toMatchObject({ message: "SMTP fault EABORT", fault: "outage", mayHaveGone });
  });

  it("is never sent if its signal has already aborted", async () => {
    const error = await failure(sender, mail("later@example.com"), AbortSignal.abort());
    expect(error).toMatchObject({ message: "SMTP fault EABORT", fault: "outage", mayHaveGone: false });
    expect(smtp.mailsTo("later@example.com")).toEqual([]);
  });
});

describe("an SMTP connection", () => {
  beforeAll(() => {
    sender.close(); // it has learned that the server refuses logins
    sender = smtpSender(smtp.url);
  });

  it("stays open for the next mail", async () => {
    await sender.send(mail("first@example.com"), forever);
    const before = smtp.connections;
    for (let n = 0; n < 10; n++) await sender.send(mail(`pool${n}@example.com`), forever);
    expect(smtp.connections).toBe(before);
  });

  it("is one of at most twenty", async () => {
    const before = smtp.connections;
    const crowd = await provenSender();
    const { release } = await occupy(crowd, 20);
    const addresses = Array.from({ length: 100 }, (_, n) => `many${n}@example.com`);
    const sent = addresses.map((address) => crowd.send(mail(address), new AbortController().signal));
    await release();
    await Promise.all(sent);
    expect(addresses.every((address) => smtp.mailsTo(address).length === 1)).toBe(true);
    expect(smtp.connections - before).toBe(20);
    crowd.close();
  });

  it("carries the next mail if it was used last, so that the others can close", async () => {
    const { release } = await occupy(sender, 3);
    await release();
    for (let n = 0; n < 3; n++) await sender.send(mail("next@example.com"), forever);
    const used = smtp.mailsTo("next@example.com").map(({ connection }) => connection);
    expect(used).toEqual([used[0], used[0], used[0]]);
  });

  it.each([
    ["no word", ""],
    ["a 421", "421 4.4.2 idle for too long\r\n"],
    ["an unexpected reply", "250 what?\r\n"],
  ])("that the server ended with %s while it was idle does not fail the next mail", async (_what, lastWords) => {
    await sender.send(mail("before@example.com"), forever);
    await smtp.endConnections(lastWords);
    await sender.send(mail("after-end@example.com"), forever);
    expect(smtp.mailsTo("after-end@example.com")).not.toEqual([]);
  });

  it("that the server reset while it was idle fails at most one mail, which needs only another connection", async () => {
    await sender.send(mail("before@example.com"), forever);
    smtp.dropConnections();
    const outcome = await sender.send(mail("after@example.com"), forever).catch((error: unknown) => error);
    if (outcome !== undefined) expect(outcome).toMatchObject({ fault: "connection", mayHaveGone: false });
    await sender.send(mail("after@example.com"), forever);
  });

  it("closes with its sender, at once if it is idle and otherwise after its mail", async () => {
    const closing = await provenSender();
    const { release } = await occupy(closing, 2);
    await release();
    const busy = await occupy(closing, 1);
    const idleClosed = once(smtp, "disconnect");
    closing.close();
    await idleClosed;
    const busyClosed = once(smtp, "disconnect");
    await busy.release();
    await busyClosed;
  });
});

describe("an SMTP send that waits for a connection", () => {
  it.each<[string, Rule]>([
    ["refuses every client", (verb) => (verb === "GREETING" ? "554 5.7.1 no" : undefined)],
    ["refuses the login after a while", (verb) => (verb === "AUTH" ? later(100, "535 5.7.8 wrong") : undefined)],
  ])("fails together with all others if the server %s, which is asked once", async (_what, rule) => {
    const strict = await new StrictSmtp().start();
    strict.rule = rule;
    const refused = smtpSender(strict.url("user:wrong"));
    const failures = await Promise.all(Array.from({ length: 30 }, () => failure(refused, mail("any@example.com"))));
    // One failure counts against the server, however many sends it keeps waiting.
    expect(failures.map(({ fault }) => fault).sort()).toEqual([...Array(29).fill("connection"), "provider"]);
    expect(strict.counts.GREETING).toBe(1);
    refused.close();
    await strict.stop();
  });

  it("leaves the queue when its signal aborts, and is never sent", async () => {
    const { release } = await occupy(sender, 20);
    const abort = new AbortController();
    const aborted = failure(sender, mail("aborted@example.com"), abort.signal);
    const next = sender.send(mail("waiting@example.com"), forever);
    abort.abort();
    expect(await aborted).toMatchObject({ message: "SMTP fault EABORT", fault: "connection", mayHaveGone: false });
    await release();
    await next;
    expect(smtp.mailsTo("waiting@example.com")).toHaveLength(1);
    expect(smtp.mailsTo("aborted@example.com")).toEqual([]);
  });

  it("fails when its sender closes, and so does each later send", async () => {
    const closing = await provenSender();
    const { release } = await occupy(closing, 20);
    const waiting = failure(closing, mail("too-late@example.com"));
    closing.close();
    expect(await waiting).toMatchObject({ fault: "outage", mayHaveGone: false });
    expect(await failure(closing, mail("too-late@example.com"))).toMatchObject({ fault: "outage", mayHaveGone: false });
    await release();
    expect(smtp.mailsTo("too-late@example.com")).toEqual([]);
  });
});

/** The reply of a server that takes its time. */
function later(ms: number, reply: string): Promise<string> {
  return new Promise((resolve) => setTimeout(resolve, ms, reply));
}

function smtpSender(url: string, more: { name?: string; connections?: number } = {}): SmtpSender {
  return new SmtpSender({ url, from: FROM, connections: 20, ...more });
}

/** A sender that has sent a mail, so that it may open as many connections as it needs. */
async function provenSender(more: { connections?: number } = {}): Promise<SmtpSender> {
  const proven = smtpSender(smtp.url, more);
  await proven.send(mail("proof@example.com"), forever);
  return proven;
}

/** Sends so many mails at a time and holds them at RCPT. `release` lets them go and resolves once they have gone. */
async function occupy(by: SmtpSender, mails: number): Promise<{ release(): Promise<unknown> }> {
  const letGo = smtp.hold();
  let held = 0;
  const areHeld = new Promise<void>((resolve) => {
    const count = () => {
      held++;
      if (held < mails) return;
      smtp.off("rcpt", count);
      resolve();
    };
    smtp.on("rcpt", count);
  });
  const sent = Array.from({ length: mails }, () => by.send(mail("busy@example.com"), new AbortController().signal));
  await areHeld;
  return {
    release: () => {
      letGo();
      return Promise.all(sent);
    },
  };
}
