import { OtpError } from "../../otp/errors.js";
import type { Incoming } from "./incoming.js";

/** The header, and the metadata entry, of that name. */
const NAME = "idempotency-key";

/**
 * Reads the key by which a caller tells its repetitions: a string of up to 255 visible ASCII characters, in quotes, as
 * draft-ietf-httpapi-idempotency-key-header has it, or without, as most clients send it.
 *
 * @throws OtpError INVALID_REQUEST
 */
export function readIdempotencyKey(incoming: Incoming): string | undefined {
  const given = incoming.header(NAME);
  if (given === undefined) return undefined;
  const [, quoted] = /^"(.*)"$/.exec(given) ?? [];
  const key = quoted ?? given;
  if (/^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw OtpError.invalid([{ field: NAME, description: "must be 1 to 255 visible ASCII characters, without blanks" }]);
}
