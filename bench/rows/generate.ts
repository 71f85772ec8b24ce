import { interleave } from "../figures/pair.js";
import { pairRow } from "../figures/pair-row.js";
import type { Row } from "../figures/row.js";
import type { Burst } from "../load/burst.js";
import { loadGrpc } from "../load/grpc.js";
import { findHttpLoad } from "../load/http.js";
import type { Options } from "../options.js";
import { AddressBook } from "../stage/addresses.js";
import { generateMessage } from "../stage/messages.js";
import type { Program } from "../stage/process.js";
import { API_KEY, Stage } from "../stage/stage.js";

/** More calls per second than either side can handle. */
const MOST_PER_SECOND = 40_000;
/** After these turns V8 has compiled the hot code. */
const WARM_UP_TURNS = 6;

/** One protocol: how a burst of calls is made, and which status an accepted call returns. */
interface Protocol {
  readonly load: string;
  readonly bare: string;
  burst(program: Program, addresses: readonly string[], seconds: number): Promise<Burst>;
  readonly accepted: string;
}

const GRPC: Protocol = {
  load: "frames",
  bare: "generate-grpc",
  burst: ({ listening: { grpcPort = 0 } }, addresses, seconds) => {
    const headers = [["authorization", `Bearer ${API_KEY}`]] as const;
    const target = { port: grpcPort, path: "/otp.v1.OtpService/Generate", headers };
    return loadGrpc(target, addresses.map(generateMessage), 1000 * seconds);
  },
  accepted: "0",
};

function overHttp(): Protocol {
  const { name, load } = findHttpLoad();
  return {
    load: name,
    bare: "generate-http",
    burst: ({ listening: { httpPort = 0 } }, addresses, seconds) => {
      const target = { port: httpPort, path: "/otp/generate", headers: { "Content-Type": "application/json" } };
      return load(
        target,
        addresses.map((email) => JSON.stringify({ email })),
        seconds,
      );
    },
    accepted: "202",
  };
}

/** Generate for a new address in each call. No worker runs, because the measurement ends with the job in the queue. */
export function generateRows(): readonly Row[] {
  return [
    row("generate, gRPC", "grpc-js with Queue.add", 0.7, GRPC),
    row("generate, HTTP", "node:http with Queue.add", 0.65, overHttp()),
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
    const book = new AddressBook();
    const turn = (program: Program) => async () => {
      await stage.clear();
      const burst = await protocol.burst(program, book.next(MOST_PER_SECOND * seconds), seconds);
      const [answer, ...others] = burst.answers.keys();
      if (answer !== protocol.accepted || others.length > 0) {
        throw new Error(`unexpected responses to Generate, with their counts: ${JSON.stringify([...burst.answers])}`);
      }
      return burst;
    };
    await interleave(WARM_UP_TURNS, turn(server), turn(bare));
    const pair = await interleave(rounds, turn(server), turn(bare));
    return { load: protocol.load, ...pair };
  } finally {
    await stage.close();
  }
}
