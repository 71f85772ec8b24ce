import { pino } from "pino";
import { afterEach, describe, expect, it } from "vitest";
import { Descriptors } from "../../src/http/descriptors.js";

const LEFT = "no file descriptors are left for more connections: raise the limit on open files";
const AGAIN = "there are file descriptors for connections again";

const outOf = (code: string) => Object.assign(new Error(`${code}: too many open files`), { code });

/** The state of a process, and what was logged about it. */
function watched({ calmMs }: { readonly calmMs: number }) {
  const state = { error: undefined as Error | undefined, isFull: false, looks: 0 };
  const lines: string[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(JSON.parse(line).msg) });
  const probe = () => {
    state.looks++;
    if (state.error !== undefined) throw state.error;
  };
  const descriptors = new Descriptors(log, { probe, isFull: () => state.isFull, lookMs: 1, calmMs });
  opened.push(descriptors);
  const look = async (times = 5) => {
    const until = state.looks + times;
    await expect.poll(() => state.looks).toBeGreaterThanOrEqual(until);
  };
  return { state, lines, descriptors, look };
}

const opened: Descriptors[] = [];
afterEach(() => {
  for (const descriptors of opened.splice(0)) descriptors.stop();
});

describe("a lack of file descriptors", () => {
  it.each(["EMFILE", "ENFILE"])("is logged once, however long it lasts, and so is its end (%s)", async (code) => {
    const { state, lines, look } = watched({ calmMs: 0 });
    await look();
    expect(lines).toEqual([]);
    state.error = outOf(code);
    await look(20);
    expect(lines).toEqual([LEFT]);
    state.error = undefined;
    await look();
    expect(lines).toEqual([LEFT, AGAIN]);
  });

  it("is logged once when connections are refused again and again, and lasts while all places are taken", async () => {
    const { state, lines, descriptors, look } = watched({ calmMs: 0 });
    state.isFull = true;
    for (let n = 0; n < 100; n++) descriptors.report();
    await look();
    expect(lines).toEqual([LEFT]);
  });

  it("is not logged again when it comes back within the calm that ends it", async () => {
    const { state, lines, look } = watched({ calmMs: 60_000 });
    for (let n = 0; n < 3; n++) {
      state.error = outOf("EMFILE");
      await look();
      state.error = undefined;
      await look();
    }
    expect(lines).toEqual([LEFT]);
  });

  it("does not include other errors of the probe", async () => {
    const { state, lines, look } = watched({ calmMs: 0 });
    state.error = outOf("EACCES");
    await look();
    expect(lines).toEqual([]);
  });
});
