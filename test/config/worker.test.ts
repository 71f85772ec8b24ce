import { describe, expect, it } from "vitest";
import { ConfigError, readConfig } from "../../src/config/read.js";
import { workerProblems } from "../../src/config/rules.js";
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
    let problems: readonly string[] = [];
    try {
      readConfig(WORKER, { ...GOOD, MAIL_FROM }, workerProblems);
    } catch (error) {
      if (!(error instanceof ConfigError)) throw error;
      problems = error.problems;
    }
    expect(problems).toEqual([expect.stringMatching(/^MAIL_FROM must be an address[^\n]*$/)]);
  });
});
