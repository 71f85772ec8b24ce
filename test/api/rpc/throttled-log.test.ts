import { pino } from "pino";
import { expect, it } from "vitest";
import { ThrottledLog } from "../../../src/api/rpc/throttled-log.js";

it("a throttled log writes ten lines per second, then reports how many it suppressed", () => {
  const lines: string[] = [];
  let now = 0;
  const log = new ThrottledLog(pino({}, { write: (line: string) => lines.push(line) }), () => now);
  for (let call = 0; call < 1_000; call++) log.log("warn", { call }, "request failed");
  expect(lines.map((line) => JSON.parse(line).call)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(lines.every((line) => JSON.parse(line).suppressed === undefined)).toBe(true);

  now = 1_000;
  log.log("warn", { call: 1_000 }, "request failed");
  log.log("warn", { call: 1_001 }, "request failed");
  expect(JSON.parse(lines[10] ?? "")).toMatchObject({ call: 1_000, suppressed: 990, msg: "request failed" });
  expect(JSON.parse(lines[11] ?? "").suppressed).toBeUndefined();
});
