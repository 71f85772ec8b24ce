import { OtpError } from "../../otp/errors.js";
import type { Incoming } from "./incoming.js";

/** The header, and the metadata entry, of that name: an `EventSource` that comes back sends it by itself. */
const NAME = "last-event-id";

/**
 * Reads the sequence of the last step that a watcher saw, as it was given for the id of an event.
 *
 * @throws OtpError INVALID_REQUEST
 */
export function readLastEventId(incoming: Incoming): number | undefined {
  const given = incoming.header(NAME);
  if (given === undefined || given === "") return undefined;
  if (/^\d{1,10}$/.test(given)) return Number(given);
  throw OtpError.invalid([{ field: NAME, description: "must be the sequence of a step" }]);
}
