import { interleave, type Turn } from "../figures/pair.js";
import { pairRow } from "../figures/pair-row.js";
import { median } from "../figures/statistics.js";
import { loadGrpc } from "../load/grpc.js";
import type { Options } from "../options.js";
import { attemptsOn } from "../stage/attempts.js";
import { verifyMessage } from "../stage/messages.js";
import type { Program } from "../stage/process.js";
import { seed } from "../stage/seed.js";
import { API_KEY, Stage } from "../stage/stage.js";

const FEW = 1_000;
const MANY = 1_000_000;
/** Bursts per turn. The few challenges are enough for one short burst only. */
const BURSTS = 10;
const LONGEST_BURST_MS = 10_000;
const WARM_UP_TURNS = 3;
/** Wrong attempts per challenge before the correct one: as many as the service allows. */
const WRONG_ATTEMPTS = 4;

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

/** Runs a few short bursts, each with new challenges, because a thousand challenges are used up quickly. */
async function turn(side: Side): Promise<Turn> {
  const bursts: number[] = [];
  for (let n = 0; n < BURSTS; n++) bursts.push(await burst(side));
  return { perSecond: median(bursts) };
}

async function burst({ stage, server }: Side): Promise<number> {
  const attempts = attemptsOn(await seed(stage.redisUrl, FEW), WRONG_ATTEMPTS);
  const headers = [["authorization", `Bearer ${API_KEY}`]] as const;
  const target = { port: server.listening.grpcPort ?? 0, path: "/otp.v1.OtpService/Verify", headers };
  const { perSecond } = await loadGrpc(target, attempts.map(verifyMessage), LONGEST_BURST_MS);
  return perSecond;
}
