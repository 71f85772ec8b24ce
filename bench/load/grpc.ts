import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { percentile } from "../figures/statistics.js";
import { type Burst, IN_FLIGHT } from "./burst.js";
import { type Header, HeaderBlocks, readHeaders } from "./hpack.js";

const CONNECTIONS = 4;

export interface GrpcTarget {
  readonly port: number;
  /** For example `/otp.v1.OtpService/Verify`. */
  readonly path: string;
  readonly headers?: readonly Header[];
}

/**
 * Makes unary calls over h2c, one per message, until the messages or the time run out.
 *
 * h2load repeats one body, but here every call needs its own. Therefore this function writes the frames of RFC 9113 itself and reads
 * as little of the responses as possible, which makes it about as cheap as h2load.
 *
 * @throws if a call is reset or a connection is lost
 */
export async function loadGrpc(target: GrpcTarget, messages: readonly Uint8Array[], ms: number): Promise<Burst> {
  const tally = new Tally();
  const connections = await Promise.all(Array.from({ length: CONNECTIONS }, () => Connection.open(target, tally)));
  const next = messages.values();
  const begun = performance.now();
  await Promise.all(connections.map((connection) => connection.run(next, begun + ms)));
  const seconds = (performance.now() - begun) / 1000;
  for (const connection of connections) connection.close();
  return tally.burst(seconds);
}

/** Counts the calls of all connections of a burst. */
class Tally {
  private readonly latencies: number[] = [];
  private readonly blocks = new Map<string, number>();

  count(latencyMs: number, trailers: Buffer): void {
    this.latencies.push(latencyMs);
    const block = trailers.toString("latin1");
    this.blocks.set(block, (this.blocks.get(block) ?? 0) + 1);
  }

  burst(seconds: number): Burst {
    const answers = new Map<string, number>();
    for (const [block, count] of this.blocks) {
      const code = readHeaders(Buffer.from(block, "latin1")).get("grpc-status") ?? "none";
      answers.set(code, (answers.get(code) ?? 0) + count);
    }
    const sorted = Float64Array.from(this.latencies).sort();
    return {
      perSecond: sorted.length / seconds,
      p50: percentile(sorted, 50),
      p99: percentile(sorted, 99),
      answers,
    };
  }
}

const FRAME = { data: 0, headers: 1, reset: 3, settings: 4, ping: 6, goAway: 7, windowUpdate: 8 } as const;
const END_STREAM = 0x1;
const ACK = 0x1;
const END_HEADERS = 0x4;
const FRAME_HEADER_BYTES = 9;
const GRPC_PREFIX_BYTES = 5;
const WIDEST_WINDOW = 2 ** 31 - 1;
const DEFAULT_WINDOW = 65_535;
const SETTINGS_HEADER_TABLE_SIZE = 1;
const SETTINGS_INITIAL_WINDOW_SIZE = 4;

/** One connection with its share of the calls in flight. */
class Connection {
  private readonly blocks: HeaderBlocks;
  private readonly begun = new Map<number, number>();
  private messages: Iterator<Uint8Array> = [].values();
  private until = 0;
  private nextStream = 1;
  private rest: Buffer = Buffer.alloc(0);
  private outgoing: Buffer[] = [];
  private done: (() => void) | undefined;
  private fail: ((error: Error) => void) | undefined;

  private constructor(
    private readonly socket: Socket,
    target: GrpcTarget,
    private readonly tally: Tally,
  ) {
    this.blocks = new HeaderBlocks([
      [":method", "POST"],
      [":scheme", "http"],
      [":path", target.path],
      [":authority", `127.0.0.1:${target.port}`],
      ["te", "trailers"],
      ["content-type", "application/grpc"],
      ...(target.headers ?? []),
    ]);
  }

  static async open(target: GrpcTarget, tally: Tally): Promise<Connection> {
    const socket = connect({ port: target.port, host: "127.0.0.1", noDelay: true });
    await once(socket, "connect");
    const connection = new Connection(socket, target, tally);
    socket.write(PREFACE);
    socket.on("data", (chunk) => connection.read(chunk));
    socket.on("error", (error) => connection.fail?.(error));
    socket.on("close", () => connection.fail?.(new Error("the server closed the connection")));
    return connection;
  }

  async run(messages: Iterator<Uint8Array>, until: number): Promise<void> {
    this.messages = messages;
    this.until = until;
    await new Promise<void>((resolve, reject) => {
      this.done = resolve;
      this.fail = reject;
      for (let n = 0; n < IN_FLIGHT / CONNECTIONS; n++) this.call();
      this.flush();
      this.endIfIdle();
    });
    this.fail = undefined;
  }

  close(): void {
    this.socket.destroy();
  }

  private call(): void {
    const now = performance.now();
    if (now >= this.until) return;
    const next = this.messages.next();
    if (next.done === true) return;
    const stream = this.nextStream;
    this.nextStream += 2;
    this.begun.set(stream, now);
    const block = this.blocks.next();
    const message = next.value;
    const frames = Buffer.allocUnsafe(2 * FRAME_HEADER_BYTES + block.length + GRPC_PREFIX_BYTES + message.length);
    let at = writeFrameHeader(frames, 0, block.length, FRAME.headers, END_HEADERS, stream);
    at += block.copy(frames, at);
    at = writeFrameHeader(frames, at, GRPC_PREFIX_BYTES + message.length, FRAME.data, END_STREAM, stream);
    frames[at] = 0; // not compressed
    frames.writeUInt32BE(message.length, at + 1);
    frames.set(message, at + GRPC_PREFIX_BYTES);
    this.outgoing.push(frames);
  }

  private flush(): void {
    if (this.outgoing.length === 0) return;
    this.socket.write(Buffer.concat(this.outgoing));
    this.outgoing = [];
  }

  private endIfIdle(): void {
    if (this.begun.size === 0) this.done?.();
  }

  private read(chunk: Buffer): void {
    const bytes = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    let at = 0;
    while (at + FRAME_HEADER_BYTES <= bytes.length) {
      const end = at + FRAME_HEADER_BYTES + bytes.readUIntBE(at, 3);
      if (end > bytes.length) break;
      const stream = bytes.readUInt32BE(at + 5);
      this.take(bytes[at + 3] ?? 0, bytes[at + 4] ?? 0, stream, bytes.subarray(at + FRAME_HEADER_BYTES, end));
      at = end;
    }
    this.rest = bytes.subarray(at);
    this.flush();
    this.endIfIdle();
  }

  private take(type: number, flags: number, stream: number, payload: Buffer): void {
    if (type === FRAME.headers && (flags & END_STREAM) !== 0) {
      this.tally.count(performance.now() - (this.begun.get(stream) ?? 0), payload);
      this.begun.delete(stream);
      this.call();
    } else if (type === FRAME.reset) {
      this.fail?.(new Error(`the server reset a call with HTTP/2 error ${payload.readUInt32BE(0)}`));
    } else if (type === FRAME.goAway) {
      this.fail?.(new Error(`the server is going away with HTTP/2 error ${payload.readUInt32BE(4)}`));
    } else if ((type === FRAME.settings || type === FRAME.ping) && (flags & ACK) === 0) {
      this.outgoing.push(frame(type, ACK, type === FRAME.ping ? payload : Buffer.alloc(0)));
    }
  }
}

/**
 * The start of a connection. It turns off the dynamic header table, so that the headers of each response can be read on their own, and
 * opens our receive windows so wide that they never fill. The server's windows never fill either, because few small requests are in
 * flight.
 */
const PREFACE = Buffer.concat([
  Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  frame(
    FRAME.settings,
    0,
    Buffer.concat([setting(SETTINGS_HEADER_TABLE_SIZE, 0), setting(SETTINGS_INITIAL_WINDOW_SIZE, WIDEST_WINDOW)]),
  ),
  frame(FRAME.windowUpdate, 0, uint32(WIDEST_WINDOW - DEFAULT_WINDOW)),
]);

/** A frame on stream 0. */
function frame(type: number, flags: number, payload: Buffer): Buffer {
  const header = Buffer.alloc(FRAME_HEADER_BYTES);
  writeFrameHeader(header, 0, payload.length, type, flags, 0);
  return Buffer.concat([header, payload]);
}

/** @returns the offset of the payload */
function writeFrameHeader(
  into: Buffer,
  at: number,
  length: number,
  type: number,
  flags: number,
  stream: number,
): number {
  into.writeUIntBE(length, at, 3);
  into[at + 3] = type;
  into[at + 4] = flags;
  into.writeUInt32BE(stream, at + 5);
  return at + FRAME_HEADER_BYTES;
}

function setting(id: number, value: number): Buffer {
  const bytes = Buffer.alloc(6);
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt32BE(value, 2);
  return bytes;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}
