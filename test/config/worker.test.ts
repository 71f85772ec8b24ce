import { describe, expect, it } from "vitest";
import { ConfigError, readConfig } from "../../src/config/read.js";
import { workerProblems, workerWarnings } from "../../src/config/rules.js";
import { WORKER } from "../../src/config/worker.js";

const GOOD = { OTP_SECRET: "a secret that is long enough for this", SMTP_URL: "smtp://127.0.0.1:1" };

describe("the worker's configuration", () => {
  it.each([
    "nobody",
    "Name <nobody>",
    "Name <a@example.com",
    "Name <a@example.com>, b@example.com",
    "a@example.com\r\nBcc: b@example.com",
    'Na"me <a@example.com>',
  ])("rejects MAIL_FROM=%j", (MAIL_FROM) => {
    expect(problemsOf({ MAIL_FROM })).toEqual([expect.stringMatching(/^MAIL_FROM must be an address[^\n]*$/)]);
  });

  it.each([
    ["http://mail.example.com", "must be a URL that starts with smtp:// or smtps://"],
    ["smtp://mail.example.com?pool=true", "has an option that is not one of requireTLS, ignoreTLS, "],
    ["smtp://mail.example.com?requireTls=true", "has an option that is not one of requireTLS, ignoreTLS, "],
    ["smtp://mail.example.com?__proto__=x", "has an option that is not one of requireTLS, ignoreTLS, "],
    ["smtp://mail.example.com?requireTLS=yes", "has a wrong value in its option requireTLS"],
    ["smtp://mail.example.com?requireTLS=true&requireTLS=false", "has a wrong value in its option requireTLS"],
    ["smtp://mail.example.com?tls.minVersion=3", "has a wrong value in its option tls.minVersion"],
    ["smtp://mail.example.com?localAddress=eth0", "has a wrong value in its option localAddress"],
  ])("rejects SMTP_URL=%j, because it %s", (SMTP_URL, problem) => {
    const problems = problemsOf({ MAIL_FROM: "a@example.com", SMTP_URL });
    expect(problems).toEqual([expect.stringContaining(`SMTP_URL ${problem}`)]);
    expect(problems[0]).not.toContain("mail.example.com");
  });

  it.each([
    ["ignoreTLS=true", "sends codes and the password unencrypted"],
    ["opportunisticTLS=true", "sends codes unencrypted if TLS fails"],
    ["tls.rejectUnauthorized=false", "accepts any certificate"],
    ["tls.minVersion=TLSv1.1", "allows a version of TLS that is broken"],
  ])("warns that SMTP_URL with %s %s", (option, risk) => {
    expect(warningsOf(`smtps://user:hunter2@mail.example.com?${option}`)).toEqual([
      `SMTP_URL has ${option}, which ${risk}`,
    ]);
  });

  it("takes SMTP_URL with the options that give nothing up, without a warning", () => {
    const options =
      "requireTLS=true&ignoreTLS=false&authMethod=PLAIN&localAddress=192.0.2.1&tls.servername=mail.example.com&tls.minVersion=TLSv1.3&tls.rejectUnauthorized=true";
    expect(warningsOf(`smtp://mail.example.com:587?${options}`)).toEqual([]);
  });
});

function problemsOf(env: Readonly<Record<string, string>>): readonly string[] {
  try {
    readConfig(WORKER, { ...GOOD, ...env }, workerProblems);
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems;
  }
}

function warningsOf(SMTP_URL: string): readonly string[] {
  return workerWarnings(readConfig(WORKER, { ...GOOD, MAIL_FROM: "a@example.com", SMTP_URL }));
}
