/**
 * What tests read and write in Redis directly, under the names of prelude.lua. The values are repeated here so that a test fails when
 * a stored name changes: during an upgrade, two versions share one Redis.
 */
export const STORED = {
  CODE_DIGEST: "d",
  CODE_SEALED: "c",
  REQUEST_STAMP: "m",
  REQUEST_LIFE: "x",
  SEND_SIZE: 28,
  ADDRESS_WAIT_UNTIL: "u",
  ADDRESS_WAIT_UNTIL_KEYED: "v",
  IDEMPOTENCY_BUSY_UNTIL: "u",
  SENDER_WINDOW_FROM: "w",
  SENDER_PROBE_FROM: "u",
  SENDER_PROBE_UNTIL: "p",
  SENDER_SLOWED_UNTIL: "s",
  SENDER_NEXT_TURN: "g",
  SENDER_NEXT_RETURN: "k",
} as const;
