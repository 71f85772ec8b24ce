import type { ClientLimits } from "../../../src/otp/ports.js";

/** Client limits that never refuse, for tests of something else. */
export const NO_CLIENT_LIMITS: ClientLimits = {
  spend: async () => undefined,
  giveBack: async () => undefined,
};
