import { beforeEach, describe, expect, it } from "vitest";
import { digestCode } from "../../src/otp/challenge/code.js";
import { deriveKeyring } from "../../src/otp/crypto/keyring.js";
import { openJob, type SealedJob } from "../../src/otp/delivery/job.js";
import type { Progress } from "../../src/otp/delivery/ports.js";
import { OtpError } from "../../src/otp/errors.js";
import type { Generate } from "../../src/otp/generate.js";
import type { JobQueue, MailDomains } from "../../src/otp/ports.js";
import { OtpService } from "../../src/otp/service.js";
import type { Verify } from "../../src/otp/verify.js";
import { NO_CLIENT_LIMITS } from "../support/fakes/client-limits.js";
import { MemoryChallenges } from "../support/fakes/memory-challenges.js";
import { MemoryIdempotencyKeys } from "../support/fakes/memory-idempotency-keys.js";
import { NO_CHANGES, NO_DELIVERIES } from "../support/fakes/no-deliveries.js";
import { lifeOf } from "../support/messages/codes.js";

const OLD = "the old secret, which is long enough";
const NEW = "the new secret, which is long enough";
const SENDS = { cooldownMs: 30_000, perHour: 5, perDay: 20 };
const CHANNELS = ["email", "sms"] as const;
const SETTINGS = {
  channels: CHANNELS,
  codeLength: 6,
  lifeMs: 600_000,
  maxAttempts: 5,
  sends: SENDS,
  testAddresses: [],
};

const BACKEND = { caller: { name: "backend", network: undefined }, onQuota: () => undefined };

let challenges: MemoryChallenges;
let jobs: SealedJob[];
let isQueueUp: boolean;
let progress: Progress;
let mailDomains: MailDomains | undefined;

beforeEach(() => {
  challenges = new MemoryChallenges();
  jobs = [];
  isQueueUp = true;
  progress = { now: 0, begun: undefined };
  mailDomains = undefined;
});

/** The delivery of a code that was sent and not verified. */
const SENT = {
  processedAt: 0,
  expiresAt: 0,
  sentAt: 0,
  deliveredAt: undefined,
  failed: undefined,
  verifiedAt: undefined,
  isInDoubt: false,
  isLive: false,
  replacedAt: undefined,
};

/** The service as a backend calls it on its own behalf. */
function serviceWith(...secrets: [string, ...string[]]) {
  const service = openService(secrets);
  return {
    generate: (request: Generate) => service.generate(request, BACKEND),
    verify: (attempt: Verify) => service.verify(attempt, BACKEND),
  };
}

const recordingQueue = {
  add: async (job: SealedJob) => {
    if (!isQueueUp) throw OtpError.unavailable();
    jobs.push(job);
  },
};

/** A queue that takes every job, but whose first reply is lost. */
const losesFirstReply = {
  add: async (job: SealedJob) => {
    jobs.push(job);
    if (jobs.length === 1) throw OtpError.unavailable(new Error("the reply was lost"));
  },
};

function openService(secrets: [string, ...string[]], queue: JobQueue = recordingQueue): OtpService {
  return new OtpService({
    challenges,
    deliveries: { ...NO_DELIVERIES, read: async () => progress },
    changes: NO_CHANGES,
    clientLimits: NO_CLIENT_LIMITS,
    idempotencyKeys: new MemoryIdempotencyKeys(() => challenges.now),
    mailDomains,
    queue,
    keyring: deriveKeyring(secrets),
    settings: SETTINGS,
    now: () => challenges.now,
  });
}

/** Does the worker's part for the last job: stores this code under these secrets. */
async function deliver(code: string, ...secrets: [string, ...string[]]): Promise<void> {
  const job = jobs.at(-1);
  if (job === undefined) throw new Error("there is no job");
  const digest = digestCode(deriveKeyring(secrets)[0], job.challenge, code);
  await challenges.store(job.challenge, job.request, { digest, sealed: code }, lifeOf(SETTINGS.lifeMs));
}

const toEmail = (value: string, more: Partial<Generate> = {}): Generate => ({
  recipient: { case: "email", value },
  purpose: "",
  locale: "",
  ...more,
});
const byEmail = (value: string, otp: string, purpose = ""): Verify => ({
  subject: { case: "email", value },
  otp,
  purpose,
  recipient: undefined,
});
const byToken = (value: string, otp: string, more: Partial<Verify> = {}): Verify => ({
  subject: { case: "token", value },
  otp,
  purpose: "",
  recipient: undefined,
  ...more,
});
const toOwner = { recipient: { case: "email", value: " Ada@EXAMPLE.com" } } as const;

const refusedFor = (reason: string) => expect.objectContaining({ reason });
const invalid = (...fields: string[]) =>
  expect.objectContaining({
    reason: "INVALID_REQUEST",
    violations: fields.map((field) => expect.objectContaining({ field })),
  });

describe("Generate", () => {
  it("queues a job that does not contain the address in plain text", async () => {
    const service = serviceWith(OLD);
    await service.generate(toEmail("Ada@Example.com", { purpose: "payment", locale: "FR-ca" }));
    const [job] = jobs;
    if (job === undefined) throw new Error("nothing was queued");
    expect(JSON.stringify(job)).not.toMatch(/ada|example|payment/i);
    expect(openJob(deriveKeyring([OLD]), job)).toMatchObject({
      address: "Ada@Example.com",
      channel: "email",
      purpose: "payment",
      locale: "fr-CA",
    });
  });

  it("returns the lifetime of the code and the wait before the next send", async () => {
    expect(await serviceWith(OLD).generate(toEmail("ada@example.com"))).toMatchObject({
      lifeMs: 600_000,
      resendAfterMs: 30_000,
    });
  });

  it("refuses a second send during the cooldown, and returns how long the cooldown still lasts", async () => {
    const service = serviceWith(OLD);
    await service.generate(toEmail("ada@example.com"));
    challenges.now += 10_000;
    await expect(service.generate(toEmail(" ADA@example.com"))).rejects.toMatchObject({
      reason: "RATE_LIMITED",
      retryAfterMs: 20_000,
    });
    challenges.now += 20_000;
    await service.generate(toEmail("ada@example.com"));
    expect(jobs).toHaveLength(2);
  });

  it("applies a separate cooldown to each address and purpose", async () => {
    const service = serviceWith(OLD);
    await service.generate(toEmail("ada@example.com"));
    await service.generate(toEmail("eve@example.com"));
    await service.generate(toEmail("ada@example.com", { purpose: "payment" }));
    expect(jobs).toHaveLength(3);
  });

  it("leaves no cooldown when the queue is unavailable", async () => {
    const service = serviceWith(OLD);
    isQueueUp = false;
    await expect(service.generate(toEmail("ada@example.com"))).rejects.toEqual(refusedFor("UNAVAILABLE"));
    isQueueUp = true;
    await service.generate(toEmail("ada@example.com"));
  });

  it("that is repeated with its idempotency key returns the wait that is really left", async () => {
    const service = openService([OLD]);
    const call = { ...BACKEND, idempotencyKey: "the same" };
    await service.generate(toEmail("ada@example.com"), call);
    const repeated = () => service.generate(toEmail("ada@example.com"), call);
    challenges.now += 29_000;
    expect(await repeated()).toMatchObject({ status: "QUEUED", lifeMs: 600_000, resendAfterMs: 1_000 });
    challenges.now += 1_000;
    expect(await repeated()).toMatchObject({ resendAfterMs: 0 });
    for (let n = 0; n < 4; n++) {
      await service.generate(toEmail("ada@example.com"), BACKEND);
      challenges.now += 30_000;
    }
    expect(await repeated()).toMatchObject({ resendAfterMs: 3_600_000 - 150_000 });
    expect(jobs).toHaveLength(5);
  });

  it("that is repeated after its code has expired says so", async () => {
    const service = openService([OLD]);
    const call = { ...BACKEND, idempotencyKey: "the same" };
    const { token } = await service.generate(toEmail("ada@example.com"), call);
    expect(token).toHaveLength(92);
    progress = { now: challenges.now + 600_000, begun: SENT };
    expect(await service.generate(toEmail("ada@example.com"), call)).toMatchObject({ status: "EXPIRED", lifeMs: 0 });
  });

  it("continues the same request when a caller repeats it after the reply of the queue was lost", async () => {
    const service = openService([OLD], losesFirstReply);
    const call = { ...BACKEND, idempotencyKey: "the same" };
    await expect(service.generate(toEmail("ada@example.com"), call)).rejects.toEqual(refusedFor("UNAVAILABLE"));
    const { token } = await service.generate(toEmail("ada@example.com"), call);
    expect((await service.generate(toEmail("ada@example.com"), call)).token).toBe(token);
    expect(new Set(jobs.map(({ request }) => request)).size).toBe(1); // the queue runs a request once
  });

  it("keeps the idempotency key of a request with an unknown outcome when a repetition is refused", async () => {
    const service = openService([OLD], losesFirstReply);
    const call = { ...BACKEND, idempotencyKey: "the same" };
    await expect(service.generate(toEmail("ada@example.com"), call)).rejects.toEqual(refusedFor("UNAVAILABLE"));
    await service.generate(toEmail("ada@example.com"), BACKEND); // another caller comes in between
    await expect(service.generate(toEmail("ada@example.com"), call)).rejects.toEqual(refusedFor("RATE_LIMITED"));
    const other = service.generate(toEmail("eve@example.com"), call);
    await expect(other).rejects.toEqual(refusedFor("IDEMPOTENCY_KEY_REUSED"));
  });

  it("refuses an address whose domain accepts no mail, and leaves no cooldown", async () => {
    const asked: string[] = [];
    mailDomains = {
      takesMail: async (domain) => {
        asked.push(domain);
        return domain !== "xn--bcher-kva.example";
      },
    };
    const service = serviceWith(OLD);
    await expect(service.generate(toEmail("ada@B\u00fccher.example"))).rejects.toMatchObject({
      reason: "UNDELIVERABLE_ADDRESS",
      violations: [{ field: "email" }],
    });
    expect(jobs).toEqual([]);
    mailDomains = undefined;
    await serviceWith(OLD).generate(toEmail("ada@B\u00fccher.example"));
    expect(asked).toEqual(["xn--bcher-kva.example"]);
  });

  it("names every invalid field", async () => {
    const request = toEmail("nobody", { purpose: "Log In!", locale: "x".repeat(65) });
    await expect(serviceWith(OLD).generate(request)).rejects.toEqual(invalid("email", "purpose", "locale"));
  });

  it.each(["LOGIN", "log in", "log\nin", "-login", "a".repeat(33), "löschen", "login\u0000", "../login"])(
    "refuses the purpose %j",
    async (purpose) => {
      await expect(serviceWith(OLD).generate(toEmail("ada@example.com", { purpose }))).rejects.toEqual(
        invalid("purpose"),
      );
    },
  );

  it("treats every spelling of a phone number as the same recipient", async () => {
    const service = serviceWith(OLD);
    const toPhone = (value: string): Generate => ({ ...toEmail(""), recipient: { case: "phone", value } });
    await service.generate(toPhone("+1 (415) 555-2671"));
    expect(jobs[0]).toMatchObject({ channel: "sms" });
    expect(openJob(deriveKeyring([OLD]), jobs[0] as SealedJob)).toMatchObject({ address: "+14155552671" });
    await expect(service.generate(toPhone("+14155552671"))).rejects.toMatchObject({ reason: "RATE_LIMITED" });
  });

  it("refuses an impossible phone number and a request without a recipient", async () => {
    const service = serviceWith(OLD);
    const phone: Generate = { ...toEmail(""), recipient: { case: "phone", value: "+1415555" } };
    const noRecipient: Generate = { ...toEmail(""), recipient: { case: undefined } };
    await expect(service.generate(phone)).rejects.toEqual(invalid("phone"));
    await expect(service.generate(noRecipient)).rejects.toEqual(invalid("recipient"));
    expect(jobs).toEqual([]);
  });
});

describe("Verify", () => {
  it("accepts a code once, by token or by address", async () => {
    const service = serviceWith(OLD);
    const { token } = await service.generate(toEmail("ada@example.com"));
    await deliver("123456", OLD);
    expect(await service.verify(byToken(token, "123456"))).toEqual({ purpose: "login", channel: "email" });
    await expect(service.verify(byToken(token, "123456"))).rejects.toEqual(refusedFor("OTP_INCORRECT"));
    await expect(service.verify(byEmail("ada@example.com", "123456"))).rejects.toEqual(refusedFor("OTP_INCORRECT"));

    challenges.now += 30_000;
    await service.generate(toEmail("ada@example.com"));
    await deliver("654321", OLD);
    expect(await service.verify(byEmail(" Ada@EXAMPLE.com", "654321"))).toEqual({ purpose: "login", channel: "email" });
  });

  it("gives the same answer for a wrong, an expired, a used and a nonexistent code", async () => {
    const service = serviceWith(OLD);
    const answers: unknown[] = [];
    const judge = async (attempt: Verify) =>
      answers.push(await service.verify(attempt).catch((error: unknown) => error));

    await judge(byEmail("nobody@example.com", "123456"));
    const { token } = await service.generate(toEmail("ada@example.com"));
    await judge(byToken(token, "123456"));
    await deliver("123456", OLD);
    await judge(byToken(token, "000000"));
    await service.verify(byToken(token, "123456"));
    await judge(byToken(token, "123456"));
    challenges.now += 600_000;
    await judge(byToken(token, "123456"));

    expect(answers).toHaveLength(5);
    for (const answer of answers) {
      expect(answer).toMatchObject({ reason: "OTP_INCORRECT", message: "OTP is incorrect", retryAfterMs: undefined });
    }
  });

  it("does not accept a code for another purpose", async () => {
    const service = serviceWith(OLD);
    const { token } = await service.generate(toEmail("ada@example.com", { purpose: "newsletter" }));
    await deliver("123456", OLD);
    await expect(service.verify(byEmail("ada@example.com", "123456"))).rejects.toEqual(refusedFor("OTP_INCORRECT"));
    for (const purpose of ["payment", "login", ""]) {
      const attempt = service.verify(byToken(token, "123456", { purpose }));
      await expect(attempt, purpose).rejects.toEqual(refusedFor("OTP_INCORRECT"));
    }
    expect(await service.verify(byToken(token, "123456", { purpose: "newsletter" }))).toEqual({
      purpose: "newsletter",
      channel: "email",
    });
  });

  it("accepts a code for the recipient that the caller names with the token", async () => {
    const service = serviceWith(OLD);
    const { token } = await service.generate(toEmail("ada@example.com"));
    await deliver("123456", OLD);
    expect(await service.verify(byToken(token, "123456", toOwner))).toEqual({ purpose: "login", channel: "email" });
  });

  it.each([
    ["recipient", { recipient: { case: "email", value: "eve@example.com" } }],
    ["spelling of the recipient's mailbox", { recipient: { case: "email", value: "ada+1@example.com" } }],
    ["channel", { recipient: { case: "phone", value: "+14155552671" } }],
    ["purpose", { purpose: "payment" }],
  ] as const)("answers a %s that is not the token's like a wrong code, and counts it as one", async (_what, more) => {
    const service = serviceWith(OLD);
    const { token } = await service.generate(toEmail("ada@example.com"));
    await deliver("123456", OLD);
    for (let n = 0; n < 5; n++) {
      await expect(service.verify(byToken(token, "123456", more))).rejects.toEqual(OtpError.incorrect());
    }
    await expect(service.verify(byToken(token, "123456", more))).rejects.toEqual(refusedFor("TOO_MANY_ATTEMPTS"));
    await expect(service.verify(byToken(token, "123456"))).rejects.toEqual(refusedFor("TOO_MANY_ATTEMPTS"));
    await service.verify(byEmail("ada@example.com", "123456"));
  });

  it("refuses a recipient that is empty, malformed or given without a token", async () => {
    const service = serviceWith(OLD);
    const { token } = await service.generate(toEmail("ada@example.com"));
    const withRecipient = (recipient: Verify["recipient"]) => service.verify(byToken(token, "123456", { recipient }));
    await expect(withRecipient({ case: undefined })).rejects.toEqual(invalid("recipient"));
    await expect(withRecipient({ case: "email", value: "nobody" })).rejects.toEqual(invalid("recipient.email"));
    await expect(withRecipient({ case: "phone", value: "1" })).rejects.toEqual(invalid("recipient.phone"));
    const twice = service.verify({ ...byEmail("ada@example.com", "123456"), ...toOwner });
    await expect(twice).rejects.toEqual(invalid("recipient"));
  });

  it("does not accept the watch token", async () => {
    const service = serviceWith(OLD);
    const { watchToken } = await service.generate(toEmail("ada@example.com"));
    await deliver("123456", OLD);
    await expect(service.verify(byToken(watchToken, "123456"))).rejects.toEqual(invalid("token"));
  });

  it("refuses a token that is older than any code that it could belong to", async () => {
    const service = serviceWith(OLD);
    const { token } = await service.generate(toEmail("ada@example.com"));
    challenges.now += 2 * SETTINGS.lifeMs + 1;
    await service.generate(toEmail("ada@example.com"));
    await deliver("123456", OLD);
    await expect(service.verify(byToken(token, "123456"))).rejects.toEqual(refusedFor("OTP_INCORRECT"));
    await service.verify(byEmail("ada@example.com", "123456"));
  });

  it("refuses every attempt with a token whose budget is spent, and still accepts other tokens", async () => {
    const service = serviceWith(OLD);
    const { token: stranger } = await service.generate(toEmail("ada@example.com"));
    challenges.now += 30_000;
    const { token: owner } = await service.generate(toEmail("ada@example.com"));
    await deliver("123456", OLD);
    for (let wrong = 0; wrong < 5; wrong++) {
      await expect(service.verify(byToken(stranger, "000000"))).rejects.toEqual(refusedFor("OTP_INCORRECT"));
    }
    await expect(service.verify(byToken(stranger, "123456"))).rejects.toEqual(refusedFor("TOO_MANY_ATTEMPTS"));
    await service.verify(byToken(owner, "123456"));
  });

  it("with a spent token asks to wait no longer than until a new code can be requested or this one expires", async () => {
    const service = serviceWith(OLD);
    const { token } = await service.generate(toEmail("ada@example.com"));
    await deliver("123456", OLD);
    for (let n = 0; n < 5; n++) await service.verify(byToken(token, "000000")).catch(() => undefined);
    const wait = () => service.verify(byToken(token, "123456")).catch((error: OtpError) => error.retryAfterMs);
    expect(await wait()).toBe(30_000);
    challenges.now += 20_000;
    expect(await wait()).toBe(10_000);
    challenges.now += 10_000;
    expect(await wait()).toBe(1); // a new code can be requested at once
    for (let n = 1; n < 5; n++) {
      await service.generate(toEmail("ada@example.com"));
      challenges.now += 30_000;
    }
    // The hour's sends are used up. The code expires long before another is allowed.
    expect(await wait()).toBe(600_000 - 150_000);
  });

  it("names every invalid field", async () => {
    const service = serviceWith(OLD);
    await expect(service.verify(byToken("nonsense", "12345"))).rejects.toEqual(invalid("otp", "token"));
    await expect(service.verify(byEmail("nobody", "１２３４５６", "!"))).rejects.toEqual(
      invalid("otp", "purpose", "email"),
    );
    const noSubject: Verify = { subject: { case: undefined }, otp: "123456", purpose: "", recipient: undefined };
    await expect(service.verify(noSubject)).rejects.toEqual(invalid("subject"));
  });
});

describe("a server whose secret is rotated", () => {
  it("verifies a code made under the old secret, by token and by address, while that secret is listed", async () => {
    const before = serviceWith(OLD);
    const after = serviceWith(NEW, OLD);
    const { token } = await before.generate(toEmail("ada@example.com"));
    await deliver("123456", OLD);
    await before.generate(toEmail("eve@example.com"));
    await deliver("654321", OLD);

    await expect(after.verify(byToken(token, "000000"))).rejects.toEqual(refusedFor("OTP_INCORRECT"));
    await after.verify(byToken(token, "123456"));
    await after.verify(byEmail("eve@example.com", "654321"));
  });

  it("verifies a code from a worker that already uses the new secret", async () => {
    const { token } = await serviceWith(OLD, NEW).generate(toEmail("ada@example.com"));
    await deliver("123456", NEW, OLD);
    await serviceWith(OLD, NEW).verify(byToken(token, "123456"));
  });

  it("rejects tokens and codes made under the old secret once that secret is not listed", async () => {
    const { token } = await serviceWith(OLD).generate(toEmail("ada@example.com"));
    await deliver("123456", OLD);
    const after = serviceWith(NEW);
    await expect(after.verify(byToken(token, "123456"))).rejects.toEqual(invalid("token"));
    await expect(after.verify(byEmail("ada@example.com", "123456"))).rejects.toEqual(refusedFor("OTP_INCORRECT"));
  });
});
