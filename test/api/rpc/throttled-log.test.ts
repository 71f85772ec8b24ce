import { pino } from "pino";
import { expect, it } from "vitest";
import { SparingLog } from "../../../src/api/rpc/throttled-log.js";

it("says a thing ten times a second, and then how often it went unsaid", () => {
  const lines: string[] = [];
  let now = 0;
  const log = new SparingLog(pino({}, { write: (line: string) => lines.push(line) }), () => now);
  for (let call = 0; call < 1_000; call++) log.say("warn", { call }, "request failed");
  expect(lines.map((line) => JSON.parse(line).call)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect(lines.every((line) => JSON.parse(line).unsaid === undefined)).toBe(true);

  now = 1_000;
  log.say("warn", { call: 1_000 }, "request failed");
  log.say("warn", { call: 1_001 }, "request failed");
  expect(JSON.parse(lines[10] ?? "")).toMatchObject({ call: 1_000, unsaid: 990, msg: "request failed" });
  expect(JSON.parse(lines[11] ?? "").unsaid).toBeUndefined();
});
