import type { ClientLimits } from "../../../src/otp/ports.js";

/** For tests that are not about them. */
export const NO_CLIENT_LIMITS: ClientLimits = {
  spend: async () => undefined,
  giveBack: async () => undefined,
};
