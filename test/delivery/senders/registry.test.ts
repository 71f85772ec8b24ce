import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { receiptReaders } from "../../../cmd/server/receipt-readers.js";
import { readConfig } from "../../../src/config/read.js";
import { serverWarnings, workerProblems } from "../../../src/config/rules.js";
import { SERVER } from "../../../src/config/server.js";
import { WORKER } from "../../../src/config/worker.js";
import { SENDERS, senderNames } from "../../../src/delivery/senders/registry.js";
import { SES } from "../../support/providers/ses.js";
import { TWILIO } from "../../support/providers/twilio.js";
import { newApplication, VONAGE } from "../../support/providers/vonage.js";
import { WEBHOOK } from "../../support/providers/webhook.js";

const FOLDER = fileURLToPath(new URL("../../../src/delivery/senders/", import.meta.url));
const OTP_SECRET = "a secret that is long enough for this";
const ENV = {
  OTP_SECRET,
  EMAIL_SENDERS: senderNames("email").join(),
  SMS_SENDERS: senderNames("sms").join(),
  PUBLIC_URL: "https://otp.example.com",
  MAIL_FROM: "otp@example.com",
  SMTP_URL: "smtp://127.0.0.1:1",
  SMTP_NAME: "otp.example.com",
  SMTP_PER_SECOND: "1",
  SES_REGION: SES.region,
  SES_PER_SECOND: "2",
  TWILIO_ACCOUNT_SID: TWILIO.accountSid,
  TWILIO_AUTH_TOKEN: TWILIO.authToken,
  TWILIO_FROM: TWILIO.from,
  TWILIO_PER_SECOND: "3",
  VONAGE_API_KEY: VONAGE.apiKey,
  VONAGE_API_SECRET: VONAGE.apiSecret,
  VONAGE_SIGNATURE_SECRET: VONAGE.signatureSecret,
  VONAGE_FROM: VONAGE.from,
  VONAGE_PER_SECOND: "4",
  SMS_WEBHOOK_URL: "http://127.0.0.1:1",
  SMS_WEBHOOK_SECRET: WEBHOOK.secret,
  SMS_WEBHOOK_PER_SECOND: "5",
};

/** @returns the problems with an environment, one line for each */
function problems(env: Record<string, string>): string[] {
  try {
    readConfig(WORKER, env, workerProblems);
    return [];
  } catch (error) {
    return String(error instanceof Error && error.message).split("\n");
  }
}

describe("the registry of senders", () => {
  it("has a line for each folder of a provider", () => {
    const folders = readdirSync(FOLDER).filter((name) => existsSync(join(FOLDER, name, "settings.ts")));
    expect(Object.keys(SENDERS).sort()).toEqual(folders.sort());
  });

  it("opens each sender under its own name and with its configured rate", async () => {
    const config = readConfig(WORKER, ENV, workerProblems);
    const opened = await Promise.all(Object.values(SENDERS).map((settings) => settings.open(config)));
    expect(opened.map(({ sender: { name }, perSecond }) => [name, perSecond])).toEqual([
      ["smtp", 1],
      ["ses", 2],
      ["twilio", 3],
      ["vonage", 4],
      ["webhook", 5],
    ]);
    for (const { sender } of opened) sender.close();
  });

  it.each([
    ["EMAIL_SENDERS", "smtp", ["MAIL_FROM", "SMTP_URL"]],
    ["EMAIL_SENDERS", "ses", ["MAIL_FROM", "SES_REGION"]],
    ["SMS_SENDERS", "twilio", ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_FROM"]],
    ["SMS_SENDERS", "vonage", ["VONAGE_API_KEY", "VONAGE_API_SECRET", "VONAGE_FROM"]],
    ["SMS_SENDERS", "webhook", ["SMS_WEBHOOK_SECRET", "SMS_WEBHOOK_URL"]],
  ])("makes the worker require, with %s=%s, exactly the variables of that sender", (list, name, needs) => {
    const env = { OTP_SECRET, EMAIL_SENDERS: "none", SMS_SENDERS: "none", [list]: name };
    expect(problems(env).sort()).toEqual(needs.map((variable) => `${variable} is required and not set`));
  });

  it("also validates the variables of a sender that is not listed", () => {
    const [problem, ...others] = problems({ ...ENV, SMS_SENDERS: "none", TWILIO_ACCOUNT_SID: "AC123" });
    expect(problem).toMatch(/^TWILIO_ACCOUNT_SID must be /);
    expect(others).toEqual([]);
  });
});

describe("a Vonage application", () => {
  const folder = mkdtempSync(join(tmpdir(), "countersign-vonage-"));
  const application = newApplication();
  const files = { VONAGE_PRIVATE_KEY_FILE: join(folder, "private.key") };
  beforeAll(() => writeFileSync(files.VONAGE_PRIVATE_KEY_FILE, application.privateKey));
  afterAll(() => rmSync(folder, { recursive: true }));

  it("requires both its id and its private key", () => {
    expect(problems({ ...ENV, VONAGE_APPLICATION_ID: application.id })).toEqual([
      "VONAGE_PRIVATE_KEY_FILE is required with VONAGE_APPLICATION_ID",
    ]);
    expect(problems({ ...ENV, ...files })).toEqual(["VONAGE_APPLICATION_ID is required with VONAGE_PRIVATE_KEY_FILE"]);
    expect(problems({ ...ENV, ...files, VONAGE_APPLICATION_ID: application.id })).toEqual([]);
  });

  it("signs in with the private key in its file", async () => {
    const config = readConfig(WORKER, { ...ENV, ...files, VONAGE_APPLICATION_ID: application.id });
    (await SENDERS.vonage.open(config)).sender.close();
    writeFileSync(files.VONAGE_PRIVATE_KEY_FILE, "not a key");
    await expect(SENDERS.vonage.open(config)).rejects.toThrow("the private key of a Vonage application");
  });
});

describe("the providers whose receipts the server reads", () => {
  const without = (...names: string[]) =>
    readConfig(SERVER, Object.fromEntries(Object.entries(ENV).filter(([name]) => !names.includes(name))));

  it("are the listed ones that send receipts", async () => {
    expect([...(await receiptReaders(without())).keys()]).toEqual(["twilio", "vonage"]);
    expect([...(await receiptReaders(without("SMS_SENDERS"))).keys()]).toEqual([]);
    expect(serverWarnings(without())).toEqual([]);
  });

  it("exclude those whose signatures cannot be checked, and a warning names the missing variables", async () => {
    const config = without("TWILIO_AUTH_TOKEN", "VONAGE_API_KEY", "VONAGE_SIGNATURE_SECRET");
    expect([...(await receiptReaders(config)).keys()]).toEqual([]);
    expect(serverWarnings(config)).toEqual([
      "receipts from twilio are not accepted without TWILIO_AUTH_TOKEN",
      "receipts from vonage are not accepted without VONAGE_API_KEY and VONAGE_SIGNATURE_SECRET",
    ]);
  });

  it("are Vonage alone without a PUBLIC_URL, which causes no warning because no receipts are requested", async () => {
    expect([...(await receiptReaders(without("PUBLIC_URL"))).keys()]).toEqual(["vonage"]);
    expect(serverWarnings(without("PUBLIC_URL", "TWILIO_AUTH_TOKEN", "VONAGE_API_KEY"))).toEqual([]);
  });
});

describe("a process that reads the configuration", () => {
  it("loads a sender and its SDK only when it opens that sender", () => {
    const config = loadedBy(
      'await import("./dist/src/config/server.js"); await import("./dist/src/config/worker.js");',
    );
    const files = new Set(config.filter((path) => path.includes("/senders/")).map((path) => basename(path)));
    expect([...files].sort()).toEqual(["registry.js", "settings.js"]);
    expect(packagesIn(config).join()).not.toMatch(/nodemailer|aws|jose|webhooks/);

    const smtp = loadedBy(
      `import { SENDERS } from "./dist/src/delivery/senders/registry.js";
       const from = { name: "", address: "otp@example.com" };
       await SENDERS.smtp.open({ SMTP_URL: "smtp://127.0.0.1:1", MAIL_FROM: from, SMTP_NAME: undefined, SMTP_PER_SECOND: 0 });`,
    );
    expect(packagesIn(smtp)).toContain("nodemailer");
    expect(packagesIn(smtp).join()).not.toMatch(/aws|jose|webhooks/);
  });

  /** Runs a script beside the built files. @returns the paths of the files that it loaded, as V8's coverage lists them */
  function loadedBy(script: string): string[] {
    const cwd = fileURLToPath(new URL("../../../", import.meta.url));
    const coverage = mkdtempSync(join(tmpdir(), "countersign-coverage-"));
    const env = { ...process.env, NODE_V8_COVERAGE: coverage };
    execFileSync(process.execPath, ["--input-type=module", "-e", script], { cwd, env });
    const [file = ""] = readdirSync(coverage);
    const { result }: { result: { url: string }[] } = JSON.parse(readFileSync(join(coverage, file), "utf8"));
    rmSync(coverage, { recursive: true });
    return result.map(({ url }) => url);
  }

  const packagesIn = (paths: readonly string[]) => [
    ...new Set(
      paths.flatMap((path) => /\/node_modules\/(@[^/]+\/[^/]+|[^/]+)\/(?!.*node_modules)/.exec(path)?.[1] ?? []),
    ),
  ];
});
