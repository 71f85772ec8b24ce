import { logVerbosity, Server, ServerCredentials, type ServiceDefinition, setLogVerbosity } from "@grpc/grpc-js";
import { HealthImplementation } from "grpc-health-check";
import type { Logger } from "pino";
import { OtpService } from "../../gen/otp/v1/otp_service_pb.js";
import type { StreamTimeouts } from "../../http/stream.js";
import type { Certificates } from "../../http/tls.js";
import type { Rpc } from "../rpc/rpc.js";
import { GrpcCalls } from "./calls.js";
import { TlsCredentials } from "./credentials.js";
import { grpcDefinition } from "./definition.js";
import { grpcHandlers } from "./handlers.js";
import { boundOpenStreams } from "./open-streams.js";
import { addReflection } from "./reflection.js";

/**
 * Beyond this grpc-js refuses a message by itself, before it has arrived; from 16 KiB to here the answer is ours, with its
 * details. With the streams on one connection it bounds what a stranger can have us keep.
 */
const MAX_MESSAGE_BYTES = 256 * 1024;
const MAX_STREAMS = 256;

/** What `grpc.health.v1` speaks of: the server as a whole, and the service. */
const HEALTH_NAMES = ["", OtpService.typeName];

/** How long a closed connection may take to go. */
const MUTE_MS = 200;

/** Serves gRPC over HTTP/2: the RPCs, server reflection, and `grpc.health.v1`. */
export class GrpcListener {
  private readonly server: Server;
  private readonly credentials: ServerCredentials;
  private readonly health: HealthImplementation;
  private state: "SERVING" | "NOT_SERVING" = "NOT_SERVING";
  private readonly calls: GrpcCalls;
  private isClosing = false;

  constructor(parts: {
    readonly rpcs: readonly Rpc[];
    readonly log: Logger;
    /** For TLS; without, it is h2c. */
    readonly tls?: Certificates | undefined;
    /** How long a request may take to arrive. */
    readonly requestTimeoutMs: number;
    readonly streamTimeouts: Pick<StreamTimeouts, "stallMs">;
  }) {
    setLogVerbosity(logVerbosity.NONE); // it would write metadata that it does not like, keys included, to stderr
    this.credentials = parts.tls
      ? new TlsCredentials(parts.tls, parts.requestTimeoutMs)
      : ServerCredentials.createInsecure();
    const asksClients = parts.tls?.current.clientCa !== undefined;
    this.calls = new GrpcCalls({ arrivalMs: parts.requestTimeoutMs, stallMs: parts.streamTimeouts.stallMs });
    const open = boundOpenStreams(HEALTH_NAMES);
    this.server = new Server({
      "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
      "grpc.max_concurrent_streams": MAX_STREAMS,
      "grpc.enable_channelz": 0, // nobody reads what it would count
      // A connection that does not answer a ping is closed, be it half open or silent from the start.
      "grpc.keepalive_time_ms": parts.requestTimeoutMs,
      "grpc.keepalive_timeout_ms": parts.requestTimeoutMs,
      interceptors: [(method, call) => (open(method.path) ?? this.calls.interceptor)(method, call)],
    });
    this.server.addService(rawDefinition(), grpcHandlers(parts.rpcs, asksClients, parts.log));
    this.health = new HealthImplementation(Object.fromEntries(HEALTH_NAMES.map((name) => [name, this.state])));
    this.health.addToServer(this.server);
    addReflection(this.server);
  }

  /** @returns the port, of use when 0 asked for a free one */
  listen(host: string, port: number): Promise<number> {
    const authority = `${host.includes(":") ? `[${host}]` : host}:${port}`;
    return new Promise((resolve, reject) => {
      this.server.bindAsync(authority, this.credentials, (error, bound) => {
        if (error) reject(new Error(`cannot listen on ${authority} for gRPC: ${error.message}`));
        else resolve(bound);
      });
    });
  }

  /** What `grpc.health.v1` says of the server as a whole and of `otp.v1.OtpService`. */
  setServing(isServing: boolean): void {
    const state = isServing && !this.isClosing ? "SERVING" : "NOT_SERVING";
    if (state === this.state) return; // watchers are told of changes alone
    this.state = state;
    for (const name of HEALTH_NAMES) this.health.setStatus(name, state);
  }

  /** Says NOT_SERVING, takes no new connection or call, lets those under way end for up to `graceMs`, then closes the rest. */
  async close(graceMs: number): Promise<void> {
    this.isClosing = true;
    this.setServing(false);
    const drained = new Promise<void>((resolve) => this.server.tryShutdown(() => resolve()));
    await Promise.race([drained, this.calls.idle(graceMs)]);
    this.calls.stop();
    this.server.forceShutdown();
    // A peer that has gone mute would keep its socket for as long as it likes.
    await Promise.race([drained, new Promise((resolve) => setTimeout(resolve, MUTE_MS))]);
  }
}

/** The definition with requests left as bytes: reading them is ours, so that a bad one gets our answer. */
function rawDefinition(): ServiceDefinition {
  return Object.fromEntries(
    Object.entries(grpcDefinition(OtpService)).map(([name, method]) => [
      name,
      { ...method, requestDeserialize: (bytes: Buffer) => bytes },
    ]),
  );
}
