import type { Call } from "./call.js";
import { ClientLimiter } from "./client-limiter.js";
import { type Generate, type Generated, Generator } from "./generator.js";
import { Idempotency } from "./idempotency.js";
import type { Keyring } from "./keyring.js";
import type { Challenges, ClientLimits, IdempotencyKeys, MailDomains, Outbox } from "./ports.js";
import type { SendPolicy } from "./sends.js";
import { type TestAddress, TestAddresses } from "./test-addresses.js";
import { Verifier, type Verify } from "./verifier.js";

/** The settings that the domain needs. */
export interface OtpSettings {
  /** Digits of a code. */
  readonly codeLength: number;
  readonly lifeMs: number;
  /** Wrong tries that one token, or one code for tries by address, bears. */
  readonly maxAttempts: number;
  readonly sends: SendPolicy;
  readonly testAddresses: readonly TestAddress[];
}

/** What the service does, whichever protocol asks for it. */
export class OtpService {
  private readonly generator: Generator;
  private readonly verifier: Verifier;

  constructor(parts: {
    readonly challenges: Challenges;
    readonly clientLimits: ClientLimits;
    readonly idempotencyKeys: IdempotencyKeys;
    /** None: every domain is taken to be one that takes mail. */
    readonly mailDomains: MailDomains | undefined;
    readonly outbox: Outbox;
    readonly keyring: Keyring;
    readonly settings: OtpSettings;
    /** The clock, in Unix milliseconds. */
    readonly now: () => number;
  }) {
    const { keyring, settings } = parts;
    const shared = {
      ...parts,
      ...settings,
      clients: new ClientLimiter(parts.clientLimits, keyring),
      testAddresses: new TestAddresses(settings.testAddresses, keyring),
    };
    this.generator = new Generator({ ...shared, idempotency: new Idempotency(parts.idempotencyKeys, keyring) });
    this.verifier = new Verifier(shared);
  }

  /**
   * Accepts a request for a code and puts its delivery into the queue.
   *
   * @throws OtpError INVALID_REQUEST, UNDELIVERABLE_ADDRESS, RATE_LIMITED, IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_KEY_IN_USE,
   *   UNAVAILABLE
   */
  generate(asked: Generate, call: Call): Promise<Generated> {
    return this.generator.generate(asked, call);
  }

  /**
   * Judges what a person typed. Returns when it is right, once.
   *
   * @throws OtpError INVALID_REQUEST, OTP_INCORRECT, TOO_MANY_ATTEMPTS, RATE_LIMITED, UNAVAILABLE
   */
  verify(asked: Verify, call: Call): Promise<void> {
    return this.verifier.verify(asked, call);
  }
}
