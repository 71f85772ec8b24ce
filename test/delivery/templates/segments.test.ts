import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it, onTestFinished } from "vitest";
import { oversizedSms, segmentsOf } from "../../../src/delivery/templates/segments.js";
import { Templates } from "../../../src/delivery/templates/templates.js";

const OURS = new URL("../../../templates/", import.meta.url);
const WORST = {
  brand: "Zwanzig Buchstaben &",
  origin: "login.long-name-of.example.com",
  codeLength: 10,
  lifeMs: 86_400_000,
};

it.each([
  ["a".repeat(160), 1, "GSM-7"],
  ["a".repeat(161), 2, "GSM-7"],
  ["à ù é è ì ò Ç ñ ä ö ü ß ¿ ¡", 1, "GSM-7"],
  ["€".repeat(80), 1, "GSM-7"],
  ["€".repeat(81), 2, "GSM-7"],
  ["ç".repeat(70), 1, "UCS-2"],
  ["क".repeat(71), 2, "UCS-2"],
  ["“curly”", 1, "UCS-2"],
])("an SMS of %s takes %i segment(s) in %s", (text, count, encoding) => {
  expect(segmentsOf(text)).toEqual({ count, encoding });
});

describe("the SMS templates", () => {
  const templates = Templates.load(OURS);

  it.each(["", "fr", "de", "es", "hi"])("take one segment in GSM-7 with the longest values (locale %j)", (locale) => {
    expect(WORST.brand).toHaveLength(20);
    expect(WORST.origin).toHaveLength(30);
    for (const leftMs of [WORST.lifeMs, 59_000]) {
      const sms = templates.sms({ ...WORST, code: "0123456789", leftMs, purpose: "login", locale });
      expect(segmentsOf(sms)).toEqual({ count: 1, encoding: "GSM-7" });
    }
  });

  it("pass the check for oversized templates with the longest values", () => {
    expect([...templates.smsTemplates]).toHaveLength(5);
    expect(oversizedSms(templates, WORST)).toEqual([]);
  });

  it("all fail the check for oversized templates with a brand that GSM-7 cannot encode", () => {
    expect(oversizedSms(templates, { ...WORST, brand: "Crème brûlée" })).toEqual(
      ["otp", "otp.de", "otp.es", "otp.fr", "otp.hi"].map(
        (stem) => `template ${stem}.sms.hbs takes 3 segments in UCS-2`,
      ),
    );
  });
});

it("the check for oversized templates names those that take more than one segment or another encoding than GSM-7", () => {
  const folder = mkdtempSync(join(tmpdir(), "countersign-templates-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const write = (name: string, text: string) => writeFileSync(join(folder, name), text);
  for (const name of ["otp.hbs", "otp.text.hbs", "otp.subject.hbs", "otp.sms.hbs"]) write(name, "{{code}}");
  write("otp.hi.sms.hbs", "{{code}} आपका कोड है");
  write("otp-reset.fr.sms.hbs", `{{code}}${"e".repeat(151)}`);
  write("otp.de.sms.hbs", `{{lifetime}}${"e".repeat(150)}`); // 9 Minuten, 59 Sekunden

  const templates = Templates.load(pathToFileURL(folder));
  const extent = { brand: "Acme", origin: undefined, codeLength: 10, lifeMs: 540_000 };
  expect(oversizedSms(templates, extent)).toEqual([
    "template otp-reset.fr.sms.hbs takes 2 segments in GSM-7",
    "template otp.de.sms.hbs takes 2 segments in GSM-7",
    "template otp.hi.sms.hbs takes 1 segment in UCS-2",
  ]);
  expect(oversizedSms(templates, { ...extent, codeLength: 6, lifeMs: 30_000 })).toEqual([
    "template otp.de.sms.hbs takes 2 segments in GSM-7",
    "template otp.hi.sms.hbs takes 1 segment in UCS-2",
  ]);
});
