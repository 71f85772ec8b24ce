import type { Call } from "./caller/call.js";
import { ClientIds } from "./caller/client-id.js";
import { ClientLimiter } from "./caller/client-limiter.js";
import { Idempotency } from "./caller/idempotency.js";
import { type SendPolicy, sendLimits } from "./challenge/send-limits.js";
import type { Keyring } from "./crypto/keyring.js";
import type { Changes, Deliveries } from "./delivery/ports.js";
import type { Watch } from "./delivery/step.js";
import { type Generate, type Generated, Generator } from "./generate.js";
import type { Challenges, ClientLimits, IdempotencyKeys, JobQueue, MailDomains } from "./ports.js";
import type { Channel } from "./recipient/recipient.js";
import { type TestAddress, TestAddresses } from "./recipient/test-addresses.js";
import type { RequestId } from "./token/request-id.js";
import { type Verified, Verifier, type Verify } from "./verify.js";
import { Watcher } from "./watch.js";

/** The settings of the domain. */
export interface OtpSettings {
  /** The channels that have a sender. */
  readonly channels: readonly Channel[];
  /** Digits of a code. */
  readonly codeLength: number;
  readonly lifeMs: number;
  /** Wrong attempts allowed per token, or per code for attempts by address. */
  readonly maxAttempts: number;
  readonly sends: SendPolicy;
  readonly testAddresses: readonly TestAddress[];
}

/** What the service does, independent of the protocol of a call. */
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
    /** If undefined, every domain is assumed to accept mail. */
    readonly mailDomains: MailDomains | undefined;
    readonly queue: JobQueue;
    readonly keyring: Keyring;
    readonly settings: OtpSettings;
    /** The clock, in Unix milliseconds. */
    readonly now: () => number;
  }) {
    const { keyring, settings } = parts;
    const { testAddresses } = settings;
    const clientIds = new ClientIds(keyring);
    const shared = {
      ...parts,
      ...settings,
      clientIds,
      clients: new ClientLimiter(parts.clientLimits, clientIds),
      limits: sendLimits(settings.sends),
      testAddresses: testAddresses.length > 0 ? new TestAddresses(testAddresses, keyring) : undefined,
    };
    this.generator = new Generator({ ...shared, idempotency: new Idempotency(parts.idempotencyKeys, keyring) });
    this.verifier = new Verifier(shared);
    this.watcher = new Watcher(shared);
  }

  /**
   * Accepts a request for a code and queues its delivery.
   *
   * @throws OtpError INVALID_REQUEST, UNDELIVERABLE_ADDRESS, RATE_LIMITED, IDEMPOTENCY_KEY_REUSED, IDEMPOTENCY_KEY_IN_USE,
   *   UNAVAILABLE
   */
  generate(request: Generate, call: Call): Promise<Generated> {
    return this.generator.generate(request, call);
  }

  /**
   * Judges the code that a person typed. Returns if it is correct; a code is correct once.
   *
   * @throws OtpError INVALID_REQUEST, OTP_INCORRECT, TOO_MANY_ATTEMPTS, RATE_LIMITED, UNAVAILABLE
   */
  verify(request: Verify, call: Call): Promise<Verified> {
    return this.verifier.verify(request, call);
  }

  /**
   * Follows a delivery: its current state, then each change in order, until a final one.
   *
   * @param options.after the number of the last step that a returning watcher has seen; it gets every later step
   * @param options.signal aborts when the watcher disconnects
   * @param options.admit receives the request that the token belongs to, before its first step is read; what it throws ends the watch
   * @throws OtpError INVALID_REQUEST for a token that this service did not make, UNAVAILABLE; once begun, a watch survives an
   *   outage
   */
  watch(
    request: { readonly token: string },
    options: { readonly after?: number; readonly signal: AbortSignal; readonly admit?: (request: RequestId) => void },
  ): Promise<Watch> {
    return this.watcher.watch(request.token, options.after, options.signal, options.admit);
  }
}
