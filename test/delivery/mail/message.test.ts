import fc from "fast-check";
import PostalMime, { type Email } from "postal-mime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MessageWriter } from "../../../src/delivery/mail/message.js";
import type { Mail } from "../../../src/delivery/sender.js";
import { SmtpSender } from "../../../src/delivery/senders/smtp/sender.js";
import { forever, mail } from "../../support/fakes/deliveries.js";
import { RecordingSmtp } from "../../support/messages/smtp.js";

const ADDRESS = "otp@countersign.example";
const FIELDS = [
  "from",
  "to",
  "subject",
  "message-id",
  "date",
  "auto-submitted",
  "x-auto-response-suppress",
  "mime-version",
  "content-type",
];

const write = (changes: Partial<Mail>, name = "Countersign"): string =>
  new MessageWriter({ name, address: ADDRESS }).write({ ...mail("ada@example.com"), ...changes }).toString("latin1");

const read = (source: string): Promise<Email> => PostalMime.parse(source);

/** Makes line breaks the same and drops those at the end, which are not part of a text. */
const lines = (text = ""): string => text.replaceAll(/\r\n|\r|\n/g, "\n").replace(/\n+$/, "");

/** Replaces half surrogate pairs, which UTF-8 cannot represent. */
const wellFormed = (text: string): string => Buffer.from(text).toString();

/** Texts of all kinds: ASCII, any script, any code units; one line, many lines, very long lines. */
const anyText = fc.oneof(
  fc.string({ unit: "binary-ascii" }),
  fc.string({ unit: "grapheme" }),
  fc.string({ unit: "binary" }),
  fc
    .array(fc.oneof(fc.string({ unit: "grapheme-ascii" }), fc.constantFrom(".", "..", "--", " ", "=3D", "From ")))
    .map((all) => all.join("\n")),
  fc.tuple(fc.string({ unit: "grapheme" }), fc.integer({ min: 1, max: 3000 })).map(([one, times]) => one.repeat(times)),
);

/** Printable texts of one line, as in a subject or a name. */
const anyLine = fc
  .oneof(
    fc.string({ unit: "grapheme-ascii" }),
    fc.string({ unit: "grapheme" }),
    fc
      .array(fc.constantFrom("=?utf-8?Q?a?=", "=?", "?=", '"', "\\", ",", "<a@b.example>", "ü", "a", "码"))
      .map((all) => all.join(" ")),
    fc
      .tuple(fc.string({ unit: "grapheme" }), fc.integer({ min: 1, max: 200 }))
      .map(([one, times]) => one.repeat(times)),
  )
  .map((text) => text.trim())
  .filter((text) => !/\p{C}|[\u2028\u2029]/u.test(text));

describe("a message that an independent parser reads", () => {
  it("has the text and the HTML that were written, whatever they are", async () => {
    await fc.assert(
      fc.asyncProperty(anyText, anyText, async (text, html) => {
        const parsed = await read(write({ text, html }));
        expect(lines(parsed.text)).toBe(lines(wellFormed(text)));
        expect(lines(parsed.html)).toBe(lines(wellFormed(html)));
      }),
    );
  });

  it("has the subject that was written, whatever it is", async () => {
    await fc.assert(
      fc.asyncProperty(anyLine, async (subject) => {
        expect((await read(write({ subject }))).subject ?? "").toBe(subject);
      }),
    );
  });

  it("has the name and address of its author, whatever the name is", async () => {
    await fc.assert(
      fc.asyncProperty(anyLine, async (name) => {
        expect((await read(write({}, name))).from).toEqual({ name, address: ADDRESS });
      }),
    );
  });
});

describe("a message on the wire", () => {
  const anyMail = fc.record({
    subject: anyText,
    text: anyText,
    html: anyText,
    address: anyText.map((text) => text.slice(0, 254)),
  });

  it("consists of ASCII lines that end in CR LF and have at most 998 characters", () => {
    fc.assert(
      fc.property(anyMail, anyText, (content, name) => {
        const source = write(content, name);
        expect(source).toMatch(/^[\t\r\n\x20-\x7e]*\r\n$/);
        expect(source.replaceAll("\r\n", "")).not.toMatch(/[\r\n]/);
        expect(Math.max(...source.split("\r\n").map(({ length }) => length))).toBeLessThanOrEqual(998);
      }),
    );
  });

  it("has the same header fields whatever is written, so that nothing can be injected", async () => {
    await fc.assert(
      fc.asyncProperty(anyMail, anyText, async (content, name) => {
        const injected = "\r\nBcc: eve@example.com\r\n\r\n";
        const { headers, attachments } = await read(
          write(
            { ...content, subject: injected + content.subject, address: content.address + injected },
            injected + name,
          ),
        );
        expect(headers.map(({ key }) => key)).toEqual(FIELDS);
        expect(attachments).toEqual([]);
      }),
    );
  });

  it("is not encoded if it is ASCII and its lines have a usual length, so that people can read it", () => {
    const source = write({ text: "Your code:\n\n    123456\n", html: `<p style="${"x".repeat(500)}">123456</p>` });
    expect(source.match(/Content-Transfer-Encoding: .*/g)).toEqual(Array(2).fill("Content-Transfer-Encoding: 7bit"));
    expect(source).toContain("\r\n    123456\r\n");
  });

  it("has the date on which it was written", async () => {
    const { date } = await read(write({}));
    expect(Math.abs(Date.parse(date ?? "") - Date.now())).toBeLessThan(5_000);
  });
});

describe("a message that went through a mail server", () => {
  let smtp: RecordingSmtp;
  let sender: SmtpSender;
  beforeAll(async () => {
    smtp = await new RecordingSmtp().start();
    sender = new SmtpSender({ url: smtp.url, from: { name: "Zoë", address: ADDRESS }, connections: 20 });
  });
  afterAll(async () => {
    sender.close();
    await smtp.stop();
  });

  it("arrives as it was written, even if a line begins with a dot", async () => {
    const text = ".\n..\n.a\n    123456\n.";
    await sender.send({ ...mail("dots@example.com"), text, html: "<p>\n.</p>\n" }, forever);
    const parsed = await read((await smtp.mailTo("dots@example.com")).source);
    expect(lines(parsed.text)).toBe(text);
    expect(lines(parsed.html)).toBe("<p>\n.</p>");
    expect(parsed.from?.name).toBe("Zoë");
    expect(parsed.subject).toBe("123456 is your code – ü");
  });
});
