import { residentMiB, usedMiB } from "../figures/memory.js";
import type { Outcome, Row } from "../figures/row.js";
import { median } from "../figures/statistics.js";
import { loadGrpc } from "../load/grpc.js";
import type { Options } from "../options.js";
import { otherThan } from "../stage/attempts.js";
import { verifyMessage } from "../stage/messages.js";
import { seed } from "../stage/seed.js";
import { API_KEY, Stage } from "../stage/stage.js";

const CHALLENGES = 1_000_000;
const AIM_BYTES = 450;
/** The factor by which the resident memory of a process may vary without a leak, because of garbage. */
const SLACK = 1.1;
/** After these calls V8 has compiled the hot code and the heap has reached a stable size. */
const WARM_UP_CALLS = 250_000;
const STEP_CALLS = 125_000;
/** How many of the first steps are compared with as many of the last. */
const COMPARED = 3;
const LONGEST_STEP_MS = 120_000;

/** Redis bytes per live challenge, and the resident memory of a server before and after a million calls. */
export const MEMORY: Row = {
  name: "memory",
  against: "–",
  aim: `≤ ${AIM_BYTES} bytes; RSS does not grow`,
  run,
};

async function run({ profile }: Options): Promise<Outcome> {
  const stage = await Stage.open(profile);
  try {
    const server = await stage.server();
    await seed(stage.redisUrl, 1); // so that memory for scripts and connections is already allocated
    const before = await usedMiB(stage.redis);
    const seeded = await seed(stage.redisUrl, CHALLENGES);
    const bytes = (2 ** 20 * ((await usedMiB(stage.redis)) - before)) / CHALLENGES;

    const headers = [["authorization", `Bearer ${API_KEY}`]] as const;
    const target = { port: server.listening.grpcPort ?? 0, path: "/otp.v1.OtpService/Verify", headers };
    const resident: number[] = [];
    const calls = WARM_UP_CALLS + CHALLENGES;
    for (let called = 0; called < calls; called += STEP_CALLS) {
      const some = Array.from({ length: STEP_CALLS }, (_, n) => seeded[(called + n) % CHALLENGES]);
      const attempts = some.flatMap((one) => (one === undefined ? [] : { token: one.token, otp: otherThan(one.code) }));
      await loadGrpc(target, attempts.map(verifyMessage), LONGEST_STEP_MS);
      if (called >= WARM_UP_CALLS) resident.push(residentMiB(server.pid));
    }
    const first = median(resident.slice(0, COMPARED));
    const last = median(resident.slice(-COMPARED));
    const said = `${bytes.toFixed(0)} bytes per challenge; RSS ${first.toFixed(0)} MiB, after a million more calls ${last.toFixed(0)} MiB`;
    return { load: "frames", said, isMet: bytes <= AIM_BYTES && last <= first * SLACK };
  } finally {
    await stage.close();
  }
}
