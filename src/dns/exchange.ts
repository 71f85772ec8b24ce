import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { connect, isIPv6 } from "node:net";
import { type DecodedPacket, decode, encode, type Packet, type Question, RECURSION_DESIRED } from "dns-packet";

/** A resolver to ask. */
export interface NameServer {
  readonly address: string;
  readonly port: number;
}

/** What fits through any network in one piece (DNS Flag Day 2020). */
const UDP_PAYLOAD_BYTES = 1232;
const LENGTH_BYTES = 2; // before each message over TCP (RFC 1035 §4.2.2)

/**
 * Asks a resolver one question: over UDP, and over TCP when the answer does not fit (RFC 1035 §4.2). The id and the source
 * port are random (RFC 5452), and what does not answer the question is ignored.
 *
 * @returns undefined when there was no answer in time
 */
export async function exchange(
  server: NameServer,
  question: Question,
  timeoutMs: number,
): Promise<DecodedPacket | undefined> {
  const deadline = performance.now() + timeoutMs;
  const answer = await overUdp(server, question, timeoutMs);
  return answer?.flag_tc ? overTcp(server, question, deadline - performance.now()) : answer;
}

function overUdp({ address, port }: NameServer, question: Question, timeoutMs: number) {
  const query = newQuery(question);
  const socket = createSocket(isIPv6(address) ? "udp6" : "udp4");
  const answer = new Promise<DecodedPacket | undefined>((resolve) => {
    const timer = giveUpAfter(timeoutMs, resolve);
    socket.on("close", () => clearTimeout(timer));
    socket.on("error", () => resolve(undefined));
    socket.on("message", (bytes) => {
      const packet = readAnswer(bytes, query);
      if (packet !== undefined) resolve(packet);
    });
    socket.on("connect", () => socket.send(encode(query), (error) => error && resolve(undefined)));
    socket.connect(port, address); // from then on it takes packets of its peer alone
  });
  return answer.finally(() => socket.close());
}

function overTcp({ address, port }: NameServer, question: Question, timeoutMs: number) {
  const query = newQuery(question);
  const bytes = encode(query);
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt16BE(bytes.length);

  const socket = connect(port, address);
  const answer = new Promise<DecodedPacket | undefined>((resolve) => {
    let received = Buffer.alloc(0);
    const timer = giveUpAfter(timeoutMs, resolve);
    socket.on("close", () => {
      clearTimeout(timer);
      resolve(undefined);
    });
    socket.on("error", () => resolve(undefined));
    socket.on("data", (chunk) => {
      received = Buffer.concat([received, chunk]);
      const isWhole = received.length >= LENGTH_BYTES && received.length >= LENGTH_BYTES + received.readUInt16BE();
      if (isWhole) resolve(readAnswer(received.subarray(LENGTH_BYTES), query));
    });
    socket.write(Buffer.concat([length, bytes]));
  });
  return answer.finally(() => socket.destroy());
}

/** A process that was held up meanwhile first reads what has come in. */
function giveUpAfter(timeoutMs: number, giveUp: (nothing: undefined) => void): NodeJS.Timeout {
  return setTimeout(() => setImmediate(giveUp, undefined), timeoutMs);
}

type Query = Packet & { readonly id: number; readonly questions: [Question] };

function newQuery(question: Question): Query {
  return {
    type: "query",
    id: randomInt(2 ** 16),
    flags: RECURSION_DESIRED,
    questions: [question],
    additionals: [
      {
        type: "OPT",
        name: ".",
        udpPayloadSize: UDP_PAYLOAD_BYTES,
        extendedRcode: 0,
        ednsVersion: 0,
        flags: 0,
        flag_do: false,
        options: [],
      },
    ],
  };
}

function readAnswer(bytes: Buffer, { id, questions: [asked] }: Query): DecodedPacket | undefined {
  try {
    const packet = decode(bytes);
    const [question] = packet.questions ?? [];
    const isOurs = packet.flag_qr && packet.id === id && question?.type === asked.type;
    return isOurs && question.name.toLowerCase() === asked.name.toLowerCase() ? packet : undefined;
  } catch {
    return undefined;
  }
}
