import { interleave, type Turn } from "../figures/pair.js";
import { pairRow } from "../figures/pair-row.js";
import { median } from "../figures/statistics.js";
import { loadGrpc } from "../load/grpc.js";
import type { Options } from "../options.js";
import { triesAt } from "../stage/attempts.js";
import { verifyMessage } from "../stage/messages.js";
import type { Program } from "../stage/process.js";
import { seed } from "../stage/seed.js";
import { API_KEY, Stage } from "../stage/stage.js";

const FEW = 1_000;
const MANY = 1_000_000;
/** Bursts of one turn: so few challenges last for one short burst alone. */
const BURSTS = 10;
const LONGEST_BURST_MS = 10_000;
const WARM_UP_TURNS = 3;
/** At each challenge, before the right one: as many as are not refused. */
const WRONG_TRIES = 4;

/** Verify over gRPC with few and with many live challenges. */
export const GROWTH = pairRow({ name: "growth", against: "the same with 1,000", atLeast: 0.95 }, play);

async function play({ rounds, profile }: Options) {
  const few = await Stage.open(profile);
  const many = await Stage.open(profile);
  try {
    const sides = {
      few: { stage: few, server: await few.server() },
      many: { stage: many, server: await many.server() },
    };
    await seed(many.redisUrl, MANY);
    const manyTurn = () => turn(sides.many);
    const fewTurn = async () => {
      await few.clear();
      return turn(sides.few);
    };
    await interleave(WARM_UP_TURNS, manyTurn, fewTurn);
    const pair = await interleave(rounds, manyTurn, fewTurn);
    return { load: "frames", ...pair };
  } finally {
    await few.close();
    await many.close();
  }
}

interface Side {
  readonly stage: Stage;
  readonly server: Program;
}

/** A few short bursts, each at challenges of its own: a thousand of them do not last for longer. */
async function turn(side: Side): Promise<Turn> {
  const bursts: number[] = [];
  for (let n = 0; n < BURSTS; n++) bursts.push(await burst(side));
  return { perSecond: median(bursts) };
}

async function burst({ stage, server }: Side): Promise<number> {
  const tries = triesAt(await seed(stage.redisUrl, FEW), WRONG_TRIES);
  const headers = [["authorization", `Bearer ${API_KEY}`]] as const;
  const target = { port: server.listening.grpcPort ?? 0, path: "/otp.v1.OtpService/Verify", headers };
  const { perSecond } = await loadGrpc(target, tries.map(verifyMessage), LONGEST_BURST_MS);
  return perSecond;
}
