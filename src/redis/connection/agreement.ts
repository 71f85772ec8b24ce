import type { Logger } from "pino";
import type { Difference, Fleet } from "../../otp/fleet/differences.js";
import { readNote } from "../../otp/fleet/note.js";

/**
 * How many times in a row a difference is found before it is reported, and not found before it is over. The pulse reads every 2.5 s.
 * A process that was killed is seen once more, and one that cannot reach Redis for a moment is missed.
 */
const READS_TO_REPORT = 2;
const READS_TO_CLEAR = 3;

/** A rolling change may take ten minutes. */
const READS_OF_ROLLING_CHANGE = 240;

/** From here on, a difference between the clocks is reported. */
const CLOCK_TOLERANCE_MS = 5_000;

interface Finding {
  detail: string;
  found: number;
  missed: number;
  /** Whether the setting was being changed on one process after the other. */
  wasRolling: boolean;
  isReported: boolean;
}

/** Reports settings that do not fit those of other processes, and a clock that is wrong, with one log line for each change. */
export class Agreement {
  private readonly findings = new Map<string, Finding>();
  private clock: string | undefined;

  constructor(
    private readonly parts: {
      /** A RedisPulse. */
      readonly pulse: {
        readonly clockOffsetMs: number;
        on(event: "others", listener: (notes: readonly string[]) => void): unknown;
      };
      readonly fleet: Fleet;
      readonly lifeMs: number;
      readonly log: Logger;
    },
  ) {
    parts.pulse.on("others", (texts) => {
      const others = texts.map(readNote).filter((note) => note !== undefined);
      this.compareSettings(parts.fleet.differences(others));
      this.compareClocks();
    });
  }

  /** What is wrong, by the name of the variable, or `clock`. */
  get details(): Readonly<Record<string, string>> {
    const reported = [...this.findings].filter(([, { isReported }]) => isReported);
    const settings = Object.fromEntries(reported.map(([variable, { detail }]) => [variable, detail]));
    return this.clock === undefined ? settings : { ...settings, clock: this.clock };
  }

  private compareSettings(differences: readonly Difference[]): void {
    // Of two differences of one variable, the first is reported.
    const found = new Map<string, Difference>(differences.toReversed().map((one) => [one.variable, one]));
    for (const { variable, detail, isRolling } of found.values()) {
      const finding = this.findings.get(variable) ?? {
        detail,
        found: 0,
        missed: 0,
        wasRolling: false,
        isReported: false,
      };
      this.findings.set(variable, finding);
      finding.found++;
      finding.wasRolling ||= isRolling === true;
      finding.missed = 0;
      const isDue = finding.found >= (finding.wasRolling ? READS_OF_ROLLING_CHANGE : READS_TO_REPORT);
      if (finding.isReported ? finding.detail === detail : !isDue) continue;
      Object.assign(finding, { detail, isReported: true });
      this.parts.log.warn(`${variable} ${detail}`);
    }
    for (const [variable, finding] of this.findings) {
      if (found.has(variable)) continue;
      if (finding.isReported && ++finding.missed < READS_TO_CLEAR) continue;
      this.findings.delete(variable);
      if (finding.isReported) this.parts.log.info(`${variable} fits the other processes again`);
    }
  }

  private compareClocks(): void {
    const { pulse, lifeMs, log } = this.parts;
    const { clockOffsetMs } = pulse;
    const apartMs = Math.abs(clockOffsetMs);
    const before = this.clock;
    this.clock = apartMs < CLOCK_TOLERANCE_MS ? undefined : clockDetail(clockOffsetMs, lifeMs);
    if (this.clock !== undefined && this.clock !== before) log.warn(`the clock of this machine ${this.clock}`);
    if (this.clock === undefined && before !== undefined) log.info("the clock of this machine is right again");
  }
}

/** Names the size of the difference only roughly, so that a clock that drifts is not reported again and again. */
function clockDetail(offsetMs: number, lifeMs: number): string {
  const side = offsetMs > 0 ? "behind" : "ahead of";
  const bound = Math.abs(offsetMs) < lifeMs ? "by more than 5 s" : "by more than the lifetime of a code";
  return `is ${side} that of Redis ${bound}: set it by NTP`;
}
