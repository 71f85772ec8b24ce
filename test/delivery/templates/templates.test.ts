import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lifetimeIn } from "../../../src/delivery/templates/lifetime.js";
import { Templates } from "../../../src/delivery/templates/templates.js";

const OURS = new URL("../../../templates/", import.meta.url);
const MESSAGE = { code: "012345", leftMs: 599_000, purpose: "login", brand: "Acme & Söhne <GmbH>" };
const DATA = { ...MESSAGE, locale: "", origin: undefined };

/** Replaces non-breaking spaces: versions of ICU differ in where they put them in French. */
const breaking = (text: string) => text.replace(/[\u00a0\u202f]/g, " ");

const LOCALES = ["", "fr", "de", "es", "hi"];

describe("the mail", () => {
  const { subject, text, html } = Templates.load(OURS).mail(DATA);

  it("shows the code in large type, and the same code in all its parts", () => {
    expect(subject).toContain("012345");
    expect(text).toMatch(/^ {4}012345$/m);
    expect(html).toMatch(/font-size:36px[^>]*>012345</);
  });

  it("says how long the code is valid, and that no one will ask for it", () => {
    for (const part of [text, html]) {
      expect(part).toContain("9 minutes");
      expect(part).toMatch(/No one from .* will ever ask you for it/);
    }
  });

  it("escapes values for HTML only in its HTML part", () => {
    expect(html).toContain("Acme &amp; Söhne &lt;GmbH&gt;");
    expect(text).toContain("Acme & Söhne <GmbH>");
    expect(subject).toContain("Acme & Söhne <GmbH>");
  });

  it("has a subject of a single line", () => {
    expect(subject).not.toMatch(/[\r\n]/);
  });

  it("supports light and dark mode, and loads no image and nothing else", () => {
    expect(html).toContain('<meta name="color-scheme" content="light dark">');
    expect(html).toContain("@media (prefers-color-scheme: dark)");
    expect(html).not.toMatch(/<img|url\(|https?:|<script|<link/i);
  });
});

describe.each([
  ["fr", "9 minutes", "Il est valable 9 minutes."],
  ["de", "9 Minuten", "Er gilt 9 Minuten."],
  ["es", "9 minutos", "Caduca en 9 minutos."],
  ["hi", "9 मिनट", "Yeh 9 minutes tak valid hai."],
])("in %s", (locale, words, sentence) => {
  const templates = Templates.load(OURS);
  const english = templates.mail(DATA);
  const { subject, text, html } = templates.mail({ ...DATA, locale });

  it("the mail is translated, and shows the same code", () => {
    expect(subject).toMatch(/^012345 /);
    expect(text).toMatch(/^ {4}012345$/m);
    expect(html).toMatch(/font-size:36px[^>]*>012345</);
    for (const part of [text, html]) expect(breaking(part)).toContain(words);
    const wordsOf = (page: string) => page.replace(/<style>[\s\S]*<\/style>|<[^>]*>/g, "");
    expect(wordsOf(html)).not.toMatch(/\b(?:your|code for|minutes tak|valid for|no one)\b/i);
  });

  it("the mail declares its language, and has the same layout as in English", () => {
    const tagsOf = (page: string) => page.match(/<(?!!)[^>]*>/g);
    expect(html).toContain(`<html lang="${locale}" dir="ltr">`);
    expect(tagsOf(html.replaceAll(`lang="${locale}"`, 'lang="en"'))).toEqual(tagsOf(english.html));
  });

  it("the SMS starts with the code, and has only ordinary spaces", () => {
    const sms = templates.sms({ ...DATA, locale });
    expect(sms).toMatch(/^012345 /);
    expect(sms).toContain(sentence);
    expect(sms).toBe(breaking(sms));
  });
});

describe("the SMS", () => {
  const templates = Templates.load(OURS);

  it("says how long the code is valid, and escapes nothing", () => {
    expect(templates.sms(DATA)).toBe(
      "012345 is your code for Acme & Söhne <GmbH>. It is valid for 9 minutes. Do not share it with anyone.",
    );
  });

  it.each(LOCALES)("ends with an empty line and the line that binds the code to its origin (locale %j)", (locale) => {
    const bound = templates.sms({ ...DATA, locale, origin: "example.com" });
    expect(bound).toBe(`${templates.sms({ ...DATA, locale })}\n\n@example.com #012345`);
  });
});

describe("the templates", () => {
  let folder: string;
  const write = (...names: string[]) => {
    for (const name of names) writeFileSync(join(folder, name), name);
  };
  const writeMail = (...stems: string[]) => {
    for (const stem of stems) write(`${stem}.hbs`, `${stem}.text.hbs`, `${stem}.subject.hbs`);
  };
  const load = () => Templates.load(pathToFileURL(folder));
  const mailFor = (purpose: string, locale: string) => load().mail({ ...DATA, purpose, locale }).html;
  const smsFor = (purpose: string, locale: string) => load().sms({ ...DATA, purpose, locale });

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "countersign-templates-"));
    writeMail("otp");
    write("otp.sms.hbs");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("use the default when no other template matches", () => {
    expect(mailFor("login", "")).toBe("otp.hbs");
    expect(mailFor("login", "fr-CA")).toBe("otp.hbs");
    expect(smsFor("login", "fr-CA")).toBe("otp.sms.hbs");
  });

  it("use the nearest language: fr-CA, then fr, then the default", () => {
    writeMail("otp.fr");
    expect(mailFor("login", "fr-CA")).toBe("otp.fr.hbs");
    writeMail("otp.fr-CA");
    expect(mailFor("login", "fr-CA")).toBe("otp.fr-CA.hbs");
    expect(mailFor("login", "fr")).toBe("otp.fr.hbs");
    expect(mailFor("login", "fr-BE")).toBe("otp.fr.hbs");
    expect(mailFor("login", "fro")).toBe("otp.hbs");
  });

  it("use the default for a locale that is none, whatever text it is", () => {
    const templates = load();
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.constantFrom("C", "i-default", "x-klingon", "-", "__proto__")), (locale) => {
        expect(templates.mail({ ...DATA, purpose: "login", locale }).html).toBe("otp.hbs");
      }),
    );
  });

  it("ignore extensions and private-use subtags of a locale", () => {
    write("otp.zh-Hant.sms.hbs");
    expect(smsFor("login", "zh-Hant-CN-x-private1")).toBe("otp.zh-Hant.sms.hbs");
    expect(smsFor("login", "zh-Hant-u-nu-latn")).toBe("otp.zh-Hant.sms.hbs");
  });

  it("match a locale whatever its case", () => {
    write("otp.pt-br.sms.hbs", "otp-login.ZH-hant.sms.hbs");
    expect(smsFor("login", "pt-BR")).toBe("otp.pt-br.sms.hbs");
    expect(smsFor("login", "zh-HANT-tw")).toBe("otp-login.ZH-hant.sms.hbs");
  });

  it("prefer a matching purpose among those of one language", () => {
    writeMail("otp-password-reset", "otp.fr", "otp-password-reset.fr");
    expect(mailFor("password-reset", "")).toBe("otp-password-reset.hbs");
    expect(mailFor("password-reset", "fr-CA")).toBe("otp-password-reset.fr.hbs");
    expect(mailFor("password", "fr-CA")).toBe("otp.fr.hbs");
    expect(mailFor("login", "")).toBe("otp.hbs");
  });

  it("prefer a nearer language to a matching purpose", () => {
    writeMail("otp-password-reset", "otp.fr", "otp-password-reset.fr", "otp.fr-CA");
    expect(mailFor("password-reset", "fr-CA")).toBe("otp.fr-CA.hbs");
    expect(mailFor("password-reset", "de")).toBe("otp-password-reset.hbs");
  });

  it("are chosen separately for each channel", () => {
    writeMail("otp.fr");
    write("otp.de.sms.hbs");
    expect([mailFor("login", "fr"), smsFor("login", "fr")]).toEqual(["otp.fr.hbs", "otp.sms.hbs"]);
    expect([mailFor("login", "de"), smsFor("login", "de")]).toEqual(["otp.hbs", "otp.de.sms.hbs"]);
  });

  it("include all three parts of a mail", () => {
    writeMail("otp-password-reset.fr");
    expect(load().mail({ ...DATA, purpose: "password-reset", locale: "fr" })).toEqual({
      html: "otp-password-reset.fr.hbs",
      text: "otp-password-reset.fr.text.hbs",
      subject: "otp-password-reset.fr.subject.hbs",
    });
  });

  it.each([
    ["otp.fr.hbs", "otp.fr.text.hbs"],
    ["otp.fr.text.hbs", "otp.fr.hbs"],
    ["otp-password-reset.subject.hbs", "otp-password-reset.hbs"],
  ])("fail to load when %s exists without %s", (given, missing) => {
    write(given);
    expect(load).toThrow(`template ${missing} is missing`);
  });

  it.each(["otp.hbs", "otp.text.hbs", "otp.subject.hbs", "otp.sms.hbs"])("fail to load without %s", (name) => {
    rmSync(join(folder, name));
    expect(load).toThrow(`template ${name} is missing`);
  });

  it.each(["otp.fr.txt.hbs", "otp.fr_CA.sms.hbs", "otp.e.sms.hbs", "otp-Login.sms.hbs", "otp-.hbs", "opt.fr.hbs"])(
    "fail to load when a file is named %s",
    (name) => {
      write(name);
      expect(load).toThrow(`template ${name}: the name does not follow otp[-purpose][.locale][.part].hbs`);
    },
  );

  it("fail to load when two files are for the same language and part", () => {
    write("otp.he.sms.hbs", "otp.iw.sms.hbs");
    expect(load).toThrow("template otp.iw.sms.hbs: otp.he.sms.hbs has the same purpose, locale and part");
  });

  it("ignore files that do not end in .hbs", () => {
    write("README.md", "otp.fr.hbs~");
    expect(mailFor("login", "fr")).toBe("otp.hbs");
  });

  it("write a lifetime in the language and script of the template, not of the requested locale", () => {
    const say = (name: string, text: string) => writeFileSync(join(folder, name), text);
    say("otp.sms.hbs", "{{lifetime}}");
    say("otp.hi.sms.hbs", "{{lifetime}} tak");
    say("otp-reset.hi.sms.hbs", "{{lifetime}} तक");
    say("otp.sr.sms.hbs", "Važi {{lifetime}}");
    expect(smsFor("login", "de")).toBe("9 minutes");
    expect(smsFor("login", "hi")).toBe("9 minutes tak");
    expect(smsFor("reset", "hi")).toBe("9 मिनट तक");
    expect(smsFor("login", "sr")).toBe("Važi 9 minuta");
  });
});

const LAYOUT = `<html lang="{{lang}}">
<h1>{{> heading}}</h1>
{{#> footer}}no footer{{/footer}}
{{> @partial-block}}
</html>`;

describe("a template", () => {
  let folder: string;
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  const load = () => Templates.load(pathToFileURL(`${folder}/`));

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "countersign-templates-"));
    write("otp.hbs", "<p>{{code}}</p>");
    write("otp.text.hbs", "{{code}}");
    write("otp.subject.hbs", "{{brand}}");
    write("otp.sms.hbs", "{{code}}");
    write("layout.hbs", LAYOUT);
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("is read from the folder of templates", () => {
    expect(load().mail(DATA)).toMatchObject({ html: "<p>012345</p>", text: "012345" });
  });

  it("that uses {{sender}}, the former name of {{brand}}, still works and causes a warning", () => {
    write("otp.hbs", '{{#> layout lang="en"}}{{#*inline "heading"}}{{brand}}{{/inline}}<p>\n{{sender}}</p>{{/layout}}');
    write("layout.hbs", `${LAYOUT}{{sender}}`);
    const templates = load();
    expect(templates.mail({ ...DATA, brand: "Acme" }).html).toMatch(/<p>\nAcme<\/p>[\s\S]*<\/html>Acme/);
    expect(templates.warnings).toEqual([
      'template otp.hbs: "sender" on line 2 is now "brand"',
      'template otp.hbs: "sender" on line 5 of layout.hbs is now "brand"',
    ]);
  });

  it("that uses {{brand}} causes no warning", () => {
    expect(load().warnings).toEqual([]);
  });

  it.each([
    ["does not compile", "{{#if code}}", /otp\.text\.hbs: Parse error/],
    ["uses an unknown name", "{{cod}}", /otp\.text\.hbs: "cod" on line 1/],
    [
      "uses an unknown name in a branch that is never taken",
      "{{#unless code}}\n{{cod}}{{/unless}}",
      /otp\.text\.hbs: "cod" on line 2/,
    ],
    ["uses a name that every object has", "{{constructor}}", /"constructor"/],
    ["uses an unknown helper", "{{shout code}}", /"shout"/],
    ["uses an unknown partial", "{{> header}}", /the partial "header" on line 1 does not exist/],
    ["gives a partial a positional parameter", "{{> layout code}}", /"layout" on line 1 takes named parameters/],
    ["computes the name of a partial", "{{> (lookup code)}}", /the partial "" on line 1 does not exist/],
    [
      "uses a decorator other than inline",
      '{{#*outline "x"}}{{/outline}}',
      /the block on line 1 is not an inline partial/,
    ],
  ])("fails to load when it %s", (_what, text, message) => {
    write("otp.text.hbs", text);
    expect(load).toThrow(message);
  });

  it.each([
    [
      "uses an unknown name in the block of a partial",
      '{{#> layout lang="en"}}\n{{cod}}{{/layout}}',
      /otp\.hbs: "cod" on line 2 is/,
    ],
    [
      "uses an unknown name in an inline partial",
      '{{#> layout}}{{#*inline "heading"}}\n{{cod}}{{/inline}}{{/layout}}',
      /"cod" on line 2 is/,
    ],
    [
      "uses an unknown name in a parameter",
      '{{#> layout lang=cod}}{{#*inline "heading"}}{{/inline}}{{/layout}}',
      /"cod" on line 1 is/,
    ],
    [
      "leaves out a parameter of a partial",
      "{{#> layout}}{{/layout}}",
      /otp\.hbs: "lang" on line 1 of layout\.hbs is not a known name/,
    ],
    ["leaves out an inline partial", '{{#> layout lang="en"}}{{/layout}}', /"heading" on line 2 of layout\.hbs does/],
    [
      "leaves out the block of a partial",
      '{{#*inline "heading"}}{{/inline}}{{> layout lang="en"}}',
      /"@partial-block" on line 4 of/,
    ],
    [
      "uses a parameter of a partial outside that partial",
      '{{#*inline "heading"}}{{/inline}}{{#> layout lang="en"}}{{/layout}}{{lang}}',
      /"lang"/,
    ],
  ])("fails to load when it %s", (_what, text, message) => {
    write("otp.hbs", text);
    expect(load).toThrow(message);
  });

  it("fails to load when a partial does not compile or includes itself", () => {
    write("layout.hbs", "{{#if code}}");
    expect(load).toThrow(/layout\.hbs: Parse error on line 1/);
    write("layout.hbs", "{{> footer}}");
    write("footer.hbs", "{{#if code}}\n{{> layout}}{{/if}}");
    write("otp.hbs", "{{> layout}}");
    expect(load).toThrow(/otp\.hbs: "layout" on line 2 of footer\.hbs would include itself/);
  });

  it("can pass parameters, inline partials and a block to a partial", () => {
    write(
      "otp.hbs",
      '{{#> layout lang="fr"}}{{#*inline "heading"}}{{brand}} {{lang}}{{/inline}}<p>{{code}}</p>{{/layout}}',
    );
    const { html } = load().mail({ ...DATA, brand: "A&B" });
    expect(html.replace(/\n/g, "")).toBe('<html lang="fr"><h1>A&amp;B fr</h1>no footer<p>012345</p></html>');
  });

  it("escapes values in a partial of the HTML, but not in the same partial of a text", () => {
    write("name.hbs", "{{brand}}");
    for (const name of ["otp.hbs", "otp.text.hbs", "otp.subject.hbs", "otp.sms.hbs"]) write(name, "{{> name}}");
    const message = { ...DATA, brand: "<A&B>" };
    expect(load().mail(message)).toEqual({ html: "&lt;A&amp;B&gt;", text: "<A&B>", subject: "<A&B>" });
    expect(load().sms(message)).toBe("<A&B>");
  });
});

it.each([
  [600_000, "en", "10 minutes"],
  [599_990, "en", "10 minutes"],
  [599_000, "en", "9 minutes"],
  [60_000, "en", "1 minute"],
  [59_000, "en", "59 seconds"],
  [1_000, "en", "1 second"],
  [1, "en", "1 second"],
  [86_400_000, "en", "1440 minutes"],
  [600_000, "fr", "10 minutes"],
  [59_000, "fr", "59 secondes"],
  [600_000, "de", "10 Minuten"],
  [60_000, "de", "1 Minute"],
  [600_000, "es-MX", "10 minutos"],
  [600_000, "hi", "10 मिनट"],
  [600_000, "hi-Latn", "10 minutes"],
  [600_000, "tlh", "10 minutes"],
])("a lifetime of %i ms is written in the locale %s as %s", (ms, locale, words) => {
  expect(breaking(lifetimeIn(locale)(ms))).toBe(words);
});
