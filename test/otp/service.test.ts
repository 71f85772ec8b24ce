import { beforeEach, describe, expect, it } from "vitest";
import { digestCode } from "../../src/otp/challenge/code.js";
import { deriveKeyring } from "../../src/otp/crypto/keyring.js";
import { openJob, type SealedJob } from "../../src/otp/delivery/job.js";
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
let mailDomains: MailDomains | undefined;

beforeEach(() => {
  challenges = new MemoryChallenges();
  jobs = [];
  isQueueUp = true;
  mailDomains = undefined;
});

/** The service, called by a backend that calls for itself. */
function serviceWith(...secrets: [string, ...string[]]) {
  const service = openService(secrets);
  return {
    generate: (asked: Generate) => service.generate(asked, BACKEND),
    verify: (asked: Verify) => service.verify(asked, BACKEND),
  };
}

const recordingOutbox = {
  add: async (job: SealedJob) => {
    if (!isQueueUp) throw OtpError.unavailable();
    jobs.push(job);
  },
};

/** Takes a job, and loses the answer that says so the first time. */
const losingFirstAnswer = {
  add: async (job: SealedJob) => {
    jobs.push(job);
    if (jobs.length === 1) throw OtpError.unavailable(new Error("the answer was lost"));
  },
};

function openService(secrets: [string, ...string[]], queue: JobQueue = recordingOutbox): OtpService {
  return new OtpService({
    challenges,
    deliveries: NO_DELIVERIES,
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

/** What the worker would do with the last job, under these secrets. */
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
});
const byToken = (value: string, otp: string, purpose = ""): Verify => ({
  subject: { case: "token", value },
  otp,
  purpose,
});

const refusedFor = (reason: string) => expect.objectContaining({ reason });
const invalid = (...fields: string[]) =>
  expect.objectContaining({
    reason: "INVALID_REQUEST",
    violations: fields.map((field) => expect.objectContaining({ field })),
  });

describe("Generate", () => {
  it("queues a job from which the address cannot be read", async () => {
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

  it("says how long the code will live and when to ask again", async () => {
    expect(await serviceWith(OLD).generate(toEmail("ada@example.com"))).toMatchObject({
      lifeMs: 600_000,
      resendAfterMs: 30_000,
    });
  });

  it("refuses a second send within the cooldown, and says how long it lasts", async () => {
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

  it("has a cooldown for each address and purpose", async () => {
    const service = serviceWith(OLD);
    await service.generate(toEmail("ada@example.com"));
    await service.generate(toEmail("eve@example.com"));
    await service.generate(toEmail("ada@example.com", { purpose: "payment" }));
    expect(jobs).toHaveLength(3);
  });

  it("leaves no cooldown behind when the queue is away", async () => {
    const service = serviceWith(OLD);
    isQueueUp = false;
    await expect(service.generate(toEmail("ada@example.com"))).rejects.toEqual(refusedFor("UNAVAILABLE"));
    isQueueUp = true;
    await service.generate(toEmail("ada@example.com"));
  });

  it("goes on with the same request when it is repeated after a failure that may have been none", async () => {
    const service = openService([OLD], losingFirstAnswer);
    const call = { ...BACKEND, idempotencyKey: "the same" };
    await expect(service.generate(toEmail("ada@example.com"), call)).rejects.toEqual(refusedFor("UNAVAILABLE"));
    const { token } = await service.generate(toEmail("ada@example.com"), call);
    expect((await service.generate(toEmail("ada@example.com"), call)).token).toBe(token);
    expect(new Set(jobs.map(({ request }) => request)).size).toBe(1); // the queue takes a request once
  });

  it("keeps its key when a repetition in between was refused: nobody knows whether it was carried out", async () => {
    const service = openService([OLD], losingFirstAnswer);
    const call = { ...BACKEND, idempotencyKey: "the same" };
    await expect(service.generate(toEmail("ada@example.com"), call)).rejects.toEqual(refusedFor("UNAVAILABLE"));
    await service.generate(toEmail("ada@example.com"), BACKEND); // somebody else is in between
    await expect(service.generate(toEmail("ada@example.com"), call)).rejects.toEqual(refusedFor("RATE_LIMITED"));
    const other = service.generate(toEmail("eve@example.com"), call);
    await expect(other).rejects.toEqual(refusedFor("IDEMPOTENCY_KEY_REUSED"));
  });

  it("refuses an address whose domain takes no mail, and leaves no cooldown behind", async () => {
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

  it("names every field that is wrong", async () => {
    const request = toEmail("nobody", { purpose: "Log In!", locale: "not a language" });
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

  it("takes a phone number in any spelling for the same recipient", async () => {
    const service = serviceWith(OLD);
    const toPhone = (value: string): Generate => ({ ...toEmail(""), recipient: { case: "phone", value } });
    await service.generate(toPhone("+1 (415) 555-2671"));
    expect(jobs[0]).toMatchObject({ channel: "sms" });
    expect(openJob(deriveKeyring([OLD]), jobs[0] as SealedJob)).toMatchObject({ address: "+14155552671" });
    await expect(service.generate(toPhone("+14155552671"))).rejects.toMatchObject({ reason: "RATE_LIMITED" });
  });

  it("refuses what can be nobody's number, a channel that nothing is sent on, and a request for nobody", async () => {
    const service = serviceWith(OLD);
    const phone: Generate = { ...toEmail(""), recipient: { case: "phone", value: "+1415555" } };
    const nobody: Generate = { ...toEmail(""), recipient: { case: undefined } };
    await expect(service.generate(phone)).rejects.toEqual(invalid("phone"));
    await expect(service.generate(nobody)).rejects.toEqual(invalid("recipient"));
    expect(jobs).toEqual([]);
  });
});

describe("Verify", () => {
  it("accepts the code once, by token or by address", async () => {
    const service = serviceWith(OLD);
    const { token } = await service.generate(toEmail("ada@example.com"));
    await deliver("123456", OLD);
    await service.verify(byToken(token, "123456"));
    await expect(service.verify(byToken(token, "123456"))).rejects.toEqual(refusedFor("OTP_INCORRECT"));
    await expect(service.verify(byEmail("ada@example.com", "123456"))).rejects.toEqual(refusedFor("OTP_INCORRECT"));

    challenges.now += 30_000;
    await service.generate(toEmail("ada@example.com"));
    await deliver("654321", OLD);
    await service.verify(byEmail(" Ada@EXAMPLE.com", "654321"));
  });

  it("has one answer for a wrong, an expired, a used and a never made code", async () => {
    const service = serviceWith(OLD);
    const answers: unknown[] = [];
    const judge = async (request: Verify) =>
      answers.push(await service.verify(request).catch((error: unknown) => error));

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
    await expect(service.verify(byToken(token, "123456", "payment"))).rejects.toEqual(invalid("purpose"));
    await service.verify(byToken(token, "123456", "newsletter"));
  });

  it("takes the purpose from the token when none is given", async () => {
    const service = serviceWith(OLD);
    const { token } = await service.generate(toEmail("ada@example.com", { purpose: "payment" }));
    await deliver("123456", OLD);
    await service.verify(byToken(token, "123456"));
  });

  it("does not take a token that is older than any code it could be for", async () => {
    const service = serviceWith(OLD);
    const { token } = await service.generate(toEmail("ada@example.com"));
    challenges.now += 2 * SETTINGS.lifeMs + 1;
    await service.generate(toEmail("ada@example.com"));
    await deliver("123456", OLD);
    await expect(service.verify(byToken(token, "123456"))).rejects.toEqual(refusedFor("OTP_INCORRECT"));
    await service.verify(byEmail("ada@example.com", "123456"));
  });

  it("refuses every try once a token's budget is spent, and leaves other tokens theirs", async () => {
    const service = serviceWith(OLD);
    const { token: stranger } = await service.generate(toEmail("ada@example.com"));
    challenges.now += 30_000;
    const { token: owner } = await service.generate(toEmail("ada@example.com"));
    await deliver("123456", OLD);
    for (let wrong = 0; wrong < 5; wrong++) {
      await expect(service.verify(byToken(stranger, "000000"))).rejects.toEqual(refusedFor("OTP_INCORRECT"));
    }
    await expect(service.verify(byToken(stranger, "123456"))).rejects.toMatchObject({
      reason: "TOO_MANY_ATTEMPTS",
      retryAfterMs: expect.any(Number),
    });
    await service.verify(byToken(owner, "123456"));
  });

  it("names every field that is wrong", async () => {
    const service = serviceWith(OLD);
    await expect(service.verify(byToken("nonsense", "12345"))).rejects.toEqual(invalid("otp", "token"));
    await expect(service.verify(byEmail("nobody", "１２３４５６", "!"))).rejects.toEqual(
      invalid("otp", "purpose", "email"),
    );
    const nobody: Verify = { subject: { case: undefined }, otp: "123456", purpose: "" };
    await expect(service.verify(nobody)).rejects.toEqual(invalid("subject"));
  });
});

describe("a rotated secret", () => {
  it("verifies a code made under the old one, by token and by address, while that is in the list", async () => {
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

  it("verifies a code made under the new one by a worker that has it already", async () => {
    const { token } = await serviceWith(OLD, NEW).generate(toEmail("ada@example.com"));
    await deliver("123456", NEW, OLD);
    await serviceWith(OLD, NEW).verify(byToken(token, "123456"));
  });

  it("verifies nothing of the old one once that is gone", async () => {
    const { token } = await serviceWith(OLD).generate(toEmail("ada@example.com"));
    await deliver("123456", OLD);
    const after = serviceWith(NEW);
    await expect(after.verify(byToken(token, "123456"))).rejects.toEqual(invalid("token"));
    await expect(after.verify(byEmail("ada@example.com", "123456"))).rejects.toEqual(refusedFor("OTP_INCORRECT"));
  });
});
