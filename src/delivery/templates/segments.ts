import { SegmentedMessage } from "sms-segments-calculator";
import type { Templates } from "./templates.js";

/** The segments of an SMS, which providers charge by. One segment holds 160 characters in GSM-7 or 70 in UCS-2. */
export interface Segments {
  readonly count: number;
  readonly encoding: "GSM-7" | "UCS-2";
}

export function segmentsOf(text: string): Segments {
  const { segmentsCount: count, encodingName: encoding } = new SegmentedMessage(text, "auto", false);
  return { count, encoding };
}

/** Everything that determines the length of an SMS. */
export interface SmsExtent {
  readonly brand: string;
  readonly origin: string | undefined;
  readonly codeLength: number;
  readonly lifeMs: number;
}

/** The longest lifetime that messages give in seconds. In words it can be longer than a lifetime in minutes. */
const SECONDS_MS = 59_000;

const LONGEST_PURPOSE = "p".repeat(32);

/** @returns one line for each SMS template that may need more than one GSM-7 segment, with the name of its file */
export function oversizedSms(templates: Templates, { brand, origin, codeLength, lifeMs }: SmsExtent): string[] {
  const code = "0".repeat(codeLength);
  return [...templates.smsTemplates].flatMap((template) => {
    const purpose = template.purpose || LONGEST_PURPOSE;
    const lives = [lifeMs, Math.min(lifeMs, SECONDS_MS)];
    const worst = lives
      .map((leftMs) => segmentsOf(template.render({ code, leftMs, purpose, brand, origin })))
      .reduce((one, other) => (other.count > one.count ? other : one));
    if (worst.encoding === "GSM-7" && worst.count === 1) return [];
    const unit = worst.count === 1 ? "segment" : "segments";
    return [`template ${template.file} takes ${worst.count} ${unit} in ${worst.encoding}`];
  });
}
