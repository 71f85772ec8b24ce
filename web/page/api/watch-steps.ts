import { timestampMs } from "@bufbuild/protobuf/wkt";
import { DeliveryStatus, type WatchResponse } from "../../../src/gen/otp/v1/otp_service_pb.js";
import type { OtpClient } from "./otp-api.js";
import { type Refusal, refusalOf } from "./refusal.js";

/** The statuses of the API, in the order of a delivery. The last three are final. */
export const STATUSES = ["QUEUED", "PROCESSING", "SENT", "DELIVERED", "VERIFIED", "FAILED", "EXPIRED"] as const;
export type Status = (typeof STATUSES)[number];

/** One step of a delivery. */
export interface Step {
  readonly sequence: number;
  readonly status: Status;
  /** Unix milliseconds, by the server's clock. */
  readonly at: number;
  readonly final: boolean;
  /** When the code expires. */
  readonly expiresAt: number | undefined;
}

/** What a watch reports. */
export type WatchEvent =
  | { readonly kind: "step"; readonly step: Step }
  /** The connection is lost, and the watch reconnects. The next step means that it succeeded. */
  | { readonly kind: "disconnected" }
  /** The watch has ended: the service would refuse it again. */
  | { readonly kind: "refused"; readonly refusal: Refusal };

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 8_000;
/** Connect's streams have no heartbeat, so a stream that is silent for this long may be dead and is opened again. */
const SILENCE_MS = 30_000;

/**
 * Follows a delivery until its final step and reconnects when the connection is lost. Each stream starts with the last step seen,
 * so that its arrival shows that the connection works.
 *
 * @param token the watch token
 * @param after the sequence of the last step seen; 0 for none
 */
export async function* watchSteps(
  client: OtpClient,
  token: string,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<WatchEvent> {
  let seen = after;
  let waitMs = FIRST_WAIT_MS;
  let notBefore = 0; // the server can ask for a longer wait
  while (!signal.aborted) {
    const connection = new AbortController(); // AbortSignal.any is too new for the oldest supported browsers
    const disconnect = () => connection.abort();
    const silence = new Timeout(SILENCE_MS, disconnect);
    signal.addEventListener("abort", disconnect);
    window.addEventListener("offline", disconnect); // otherwise the stream would stay open and silent
    try {
      const headers = { "Last-Event-ID": String(Math.max(0, seen - 1)) };
      const stream = client.watch({ token }, { headers, signal: connection.signal });
      for await (const response of stream) {
        silence.restart();
        waitMs = FIRST_WAIT_MS;
        const step = readStep(response);
        if (step === undefined) continue;
        seen = Math.max(seen, step.sequence);
        yield { kind: "step", step };
      }
      return; // the stream ends after the final step, or at once if that was seen before
    } catch (thrown) {
      const refusal = refusalOf(thrown, Date.now());
      if (refusal.reason === "INVALID_REQUEST" || refusal.reason === "UNAUTHENTICATED") {
        yield { kind: "refused", refusal };
        return;
      }
      notBefore = refusal.retryAt ?? 0;
      if (!signal.aborted && !silence.isOver) yield { kind: "disconnected" };
    } finally {
      silence.stop();
      signal.removeEventListener("abort", disconnect);
      window.removeEventListener("offline", disconnect);
    }
    await sleep(Math.max(waitMs, notBefore - Date.now()), signal);
    waitMs = Math.min(LONGEST_WAIT_MS, waitMs * 2);
  }
}

/** @returns undefined for a status that only a newer server knows */
function readStep({ status, sequence, time, final, expireTime }: WatchResponse): Step | undefined {
  const name = STATUSES.find((known) => DeliveryStatus[known] === status);
  if (name === undefined) return undefined;
  return {
    sequence,
    status: name,
    at: time === undefined ? Date.now() : timestampMs(time),
    final,
    expiresAt: expireTime && timestampMs(expireTime),
  };
}

/** Calls a function unless it is restarted or stopped in time. */
class Timeout {
  private timer: number;
  private hasPassed = false;

  constructor(
    private readonly afterMs: number,
    private readonly call: () => void,
  ) {
    this.timer = this.start();
  }

  get isOver(): boolean {
    return this.hasPassed;
  }

  restart(): void {
    this.stop();
    this.timer = this.start();
  }

  stop(): void {
    clearTimeout(this.timer);
  }

  private start(): number {
    return window.setTimeout(() => {
      this.hasPassed = true;
      this.call();
    }, this.afterMs);
  }
}

/** Ends early when the signal aborts, or when the browser is online again. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      window.removeEventListener("online", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
    window.addEventListener("online", done);
    if (signal.aborted) done();
  });
}
