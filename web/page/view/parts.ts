import type { OtpApi } from "../api/otp-api.js";
import type { Sessions } from "../login/sessions.js";
import type { Settings } from "../settings.js";

/** The dependencies of the views. */
export interface Parts {
  readonly api: OtpApi;
  readonly sessions: Sessions;
  readonly settings: Settings;
}
