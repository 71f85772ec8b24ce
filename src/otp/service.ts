import type { Call } from "./caller/call.js";
import { ClientLimiter } from "./caller/client-limiter.js";
import { Idempotency } from "./caller/idempotency.js";
import type { SendPolicy } from "./challenge/send-limits.js";
import type { Keyring } from "./crypto/keyring.js";
import type { Changes, Deliveries } from "./delivery/ports.js";
import type { Watch } from "./delivery/step.js";
import { type Generate, type Generated, Generator } from "./generate.js";
import type { Challenges, ClientLimits, IdempotencyKeys, MailDomains, Outbox } from "./ports.js";
import type { Channel } from "./recipient/recipient.js";
import { type TestAddress, TestAddresses } from "./recipient/test-addresses.js";
import { Verifier, type Verify } from "./verify.js";
import { Watcher } from "./watch.js";

/** The settings that the domain needs. */
export interface OtpSettings {
  /** On which messages can be sent. */
  readonly channels: readonly Channel[];
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
  private readonly watcher: Watcher;

  constructor(parts: {
    readonly challenges: Challenges;
    readonly deliveries: Deliveries;
    readonly changes: Changes;
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
    this.watcher = new Watcher(shared);
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

  /**
   * Follows a delivery: the state as it is, then each change in order, until a final one.
   *
   * @param options.after the number of the last step seen, by a watcher that comes back: it is told all since then
   * @param options.signal aborts when the watcher goes away
   * @throws OtpError INVALID_REQUEST for a token that is not ours, UNAVAILABLE; once it has begun, a watch outlasts an outage
   */
  watch(
    asked: { readonly token: string },
    options: { readonly after?: number; readonly signal: AbortSignal },
  ): Promise<Watch> {
    return this.watcher.watch(asked.token, options.after, options.signal);
  }
}
