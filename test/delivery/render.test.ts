import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { lifetime } from "../../src/delivery/lifetime.js";
import { Templates } from "../../src/delivery/render.js";

const OURS = new URL("../../templates/", import.meta.url);
const DATA = { code: "012345", lifetime: "9 minutes", purpose: "login", sender: "Acme & Söhne <GmbH>" };

describe("the mail", () => {
  const { subject, text, html } = Templates.load(OURS).mail(DATA);

  it("shows the code large, and the same in all its parts", () => {
    expect(subject).toContain("012345");
    expect(text).toMatch(/^ {4}012345$/m);
    expect(html).toMatch(/font-size:36px[^>]*>012345</);
  });

  it("says how long the code lives, and that nobody will ask for it", () => {
    for (const part of [text, html]) {
      expect(part).toContain("9 minutes");
      expect(part).toMatch(/Nobody from .* will ever ask you for it/);
    }
  });

  it("escapes for HTML in the HTML alone", () => {
    expect(html).toContain("Acme &amp; Söhne &lt;GmbH&gt;");
    expect(text).toContain("Acme & Söhne <GmbH>");
    expect(subject).toContain("Acme & Söhne <GmbH>");
  });

  it("has a subject of one line", () => {
    expect(subject).not.toMatch(/[\r\n]/);
  });

  it("works in light and dark, and needs no image and nothing from elsewhere", () => {
    expect(html).toContain('<meta name="color-scheme" content="light dark">');
    expect(html).toContain("@media (prefers-color-scheme: dark)");
    expect(html).not.toMatch(/<img|url\(|https?:|<script|<link/i);
  });
});

describe("a template", () => {
  let folder: string;
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  const load = () => Templates.load(pathToFileURL(`${folder}/`));

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "countersign-templates-"));
    write("otp.hbs", "<p>{{code}}</p>");
    write("otp.text.hbs", "{{code}}");
    write("otp.subject.hbs", "{{sender}}");
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it("is taken from the folder", () => {
    expect(load().mail(DATA)).toMatchObject({ html: "<p>012345</p>", text: "012345" });
  });

  it.each([
    ["does not compile", "{{#if code}}", /otp\.text\.hbs: Parse error/],
    ["uses a name it is not given", "{{cod}}", /otp\.text\.hbs: "cod" on line 1/],
    ["uses one in a branch nobody takes", "{{#unless code}}\n{{cod}}{{/unless}}", /otp\.text\.hbs: "cod" on line 2/],
    ["uses a name of every object", "{{constructor}}", /"constructor"/],
    ["uses a helper there is not", "{{shout code}}", /"shout"/],
    ["uses a partial", "{{> header}}", /header/],
  ])("stops the start when it %s", (_what, text, message) => {
    write("otp.text.hbs", text);
    expect(load).toThrow(message);
  });

  it("stops the start when it is missing", () => {
    rmSync(join(folder, "otp.subject.hbs"));
    expect(load).toThrow(/otp\.subject\.hbs: ENOENT/);
  });
});

it.each([
  [600_000, "10 minutes"],
  [599_999, "9 minutes"],
  [60_000, "1 minute"],
  [59_999, "59 seconds"],
  [1_000, "1 second"],
  [1, "1 second"],
  [86_400_000, "1440 minutes"],
])("says %i ms as %s", (ms, words) => {
  expect(lifetime(ms)).toBe(words);
});
