import { isDeepStrictEqual } from "node:util";
import { interleave } from "../figures/pair.js";
import { pairRow } from "../figures/pair-row.js";
import type { Row } from "../figures/row.js";
import type { Burst } from "../load/burst.js";
import { loadGrpc } from "../load/grpc.js";
import { findHttpLoad } from "../load/http.js";
import type { Options } from "../options.js";
import { attemptsOn } from "../stage/attempts.js";
import { type Attempted, verifyMessage } from "../stage/messages.js";
import type { Program } from "../stage/process.js";
import { seed } from "../stage/seed.js";
import { API_KEY, Stage } from "../stage/stage.js";

/** More attempts per second than our side can handle. */
const MOST_PER_SECOND = 30_000;
/** The same for the bare side. */
const MOST_PER_SECOND_BARE = 90_000;
/** After these turns V8 has compiled the hot code. */
const WARM_UP_TURNS = 6;

const VERIFY = "/otp.v1.OtpService/Verify";
const JSON_BODY = { "Content-Type": "application/json" };

/** One protocol: how a burst of attempts is made, and which status a correct and a wrong code return. */
interface Protocol {
  readonly load: string;
  readonly bare: string;
  burst(program: Program, attempts: readonly Attempted[], seconds: number): Promise<Burst>;
  readonly right: string;
  readonly wrong: string;
}

const GRPC: Protocol = {
  load: "frames",
  bare: "verify-grpc",
  burst: ({ listening: { grpcPort = 0 } }, attempts, seconds) => {
    const headers = [["authorization", `Bearer ${API_KEY}`]] as const;
    return loadGrpc({ port: grpcPort, path: VERIFY, headers }, attempts.map(verifyMessage), 1000 * seconds);
  },
  right: "0",
  wrong: "3",
};

function overHttp(bare: string, path: string): Protocol {
  const { name, load } = findHttpLoad();
  return {
    load: name,
    bare,
    burst: ({ listening: { httpPort = 0 } }, attempts, seconds) =>
      load(
        { port: httpPort, path, headers: JSON_BODY },
        attempts.map((one) => JSON.stringify(one)),
        seconds,
      ),
    right: "200",
    wrong: "400",
  };
}

/** Verify by token on live challenges. Every second attempt has a wrong code. */
export function verifyRows(): readonly Row[] {
  return [
    row("verify, gRPC", "grpc-js that does nothing", 0.7, GRPC),
    row("verify, HTTP", "node:http that does nothing", 0.5, overHttp("verify-http", "/otp/verify")),
    row("verify, Connect", "connect-node that does nothing", 0.85, overHttp("verify-connect", VERIFY)),
  ];
}

function row(name: string, against: string, atLeast: number, protocol: Protocol): Row {
  return pairRow({ name, against, atLeast }, (options) => play(protocol, options));
}

async function play(protocol: Protocol, { rounds, seconds, profile }: Options) {
  const stage = await Stage.open(profile);
  try {
    const server = await stage.server();
    const bare = await stage.bare(protocol.bare);
    const used = attemptsOn(await seed(stage.redisUrl, (MOST_PER_SECOND_BARE / 2) * seconds));
    const ours = async () => {
      await stage.clear();
      const attempts = attemptsOn(await seed(stage.redisUrl, (MOST_PER_SECOND / 2) * seconds));
      const burst = await protocol.burst(server, attempts, seconds);
      expectJudged(burst, protocol, attempts.length);
      return burst;
    };
    // The bare side accepts any attempt, so it can always get the same ones.
    const other = () => protocol.burst(bare, used, seconds);
    await interleave(WARM_UP_TURNS, ours, other);
    const pair = await interleave(rounds, ours, other);
    return { load: protocol.load, ...pair };
  } finally {
    await stage.close();
  }
}

/** Every response must be a judgement, and no attempt may be made twice, because its challenge would be used up by then. */
function expectJudged({ answers }: Burst, { right, wrong }: Protocol, attempts: number): void {
  const kinds = [...answers.keys()].toSorted();
  const count = [...answers.values()].reduce((sum, some) => sum + some, 0);
  if (!isDeepStrictEqual(kinds, [right, wrong].toSorted()) || count >= attempts) {
    throw new Error(`unexpected responses to ${attempts} attempts, with their counts: ${JSON.stringify([...answers])}`);
  }
}
