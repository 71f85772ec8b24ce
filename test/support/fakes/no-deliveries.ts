import type { Changes, Deliveries } from "../../../src/otp/delivery/ports.js";

/** For tests without deliveries: no worker ever takes a request. */
export const NO_DELIVERIES: Deliveries = {
  begin: async () => undefined,
  report: async () => undefined,
  receive: async () => false,
  read: async () => ({ now: 0, begun: undefined }),
};

export const NO_CHANGES: Changes = { follow: () => () => undefined };
