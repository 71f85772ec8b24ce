import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { previewPage } from "../../dev/preview.js";
import { Templates } from "../../src/delivery/templates/templates.js";

const OURS = new URL("../../templates/", import.meta.url);
const DATA = { code: "012345", leftMs: 600_000, brand: "Acme", origin: "example.com" };

describe("the template preview", () => {
  it("shows every part of every included template", () => {
    const page = previewPage(Templates.load(OURS), DATA);
    expect(page.match(/(?<=<h2>).*(?=<\/h2>)/g)).toEqual(["otp", "otp.de", "otp.es", "otp.fr", "otp.hi"]);
    expect(page.match(/<iframe sandbox /g)).toHaveLength(5);
    expect(page.match(/<h3>SMS, 1 segment in GSM-7<\/h3>/g)).toHaveLength(5);
    for (const words of [
      "012345 ist Ihr Code für Acme",
      "Su código para Acme (login):",
      "@example.com #012345",
      "10 मिनट",
    ]) {
      expect(page).toContain(words);
    }
  });

  it("shows each template once, and the templates of a purpose with that purpose", () => {
    const folder = mkdtempSync(join(tmpdir(), "countersign-templates-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const names = ["otp.hbs", "otp.text.hbs", "otp.subject.hbs", "otp.sms.hbs"];
    for (const name of [...names, "otp-login.fr.sms.hbs", "otp-reset.sms.hbs"]) {
      writeFileSync(join(folder, name), `${name} for {{purpose}}`);
    }
    const page = previewPage(Templates.load(pathToFileURL(folder)), DATA);
    expect(page.match(/otp[\w.-]*\.hbs for [a-z]+/g)?.sort()).toEqual([
      "otp-login.fr.sms.hbs for login",
      "otp-reset.sms.hbs for reset",
      "otp.hbs for login",
      "otp.sms.hbs for login",
      "otp.subject.hbs for login",
      "otp.text.hbs for login",
    ]);
  });

  it("confines each mail to a frame, and loads no other file", () => {
    const page = previewPage(Templates.load(OURS), { ...DATA, brand: '"><script>' });
    expect(page).not.toContain("<script");
    expect(page).toContain("&amp;lt;script&amp;gt;");
    expect(page).not.toMatch(/<link|\b(?:src|href)=|url\(/);
  });
});
