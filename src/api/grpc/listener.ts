import { createServer, type Server as NetServer, type Socket } from "node:net";
import { logVerbosity, Server, ServerCredentials, type ServiceDefinition, setLogVerbosity } from "@grpc/grpc-js";
import { HealthImplementation } from "grpc-health-check";
import type { Logger } from "pino";
import { OtpService } from "../../gen/otp/v1/otp_service_pb.js";
import type { Connections } from "../../http/connections.js";
import type { InFlight } from "../../http/in-flight.js";
import type { StreamTimeouts } from "../../http/stream.js";
import type { Certificates } from "../../http/tls.js";
import type { Gate } from "../access/gate.js";
import type { Rpc } from "../rpc/rpc.js";
import { admission } from "./admission.js";
import { checkCallHeads } from "./call-heads.js";
import { GrpcCalls } from "./calls.js";
import { TlsCredentials } from "./credentials.js";
import { grpcDefinition } from "./definition.js";
import { grpcHandlers } from "./handlers.js";
import { boundOpenStreams } from "./open-streams.js";
import { addReflection } from "./reflection.js";
import { GrpcSessions } from "./sessions.js";

/**
 * How large a message may become when grpc-js decompresses it. `GrpcCalls` refuses larger ones as they arrive, and the RPCs refuse
 * those between 16 KiB and this size with error details.
 */
const MAX_MESSAGE_BYTES = 64 * 1024;
const MAX_STREAMS = 256;

/** The names that `grpc.health.v1` reports on: the server as a whole, and the service. */
const HEALTH_NAMES = ["", OtpService.typeName];

/** The state is repeated to those who watch the health this often. */
const HEALTH_SILENCE_MS = 15_000;

/** How long the sockets may take to close after the shutdown. */
const SOCKET_CLOSE_MS = 200;

/** Serves gRPC over HTTP/2: the RPCs, server reflection, and `grpc.health.v1`. */
export class GrpcListener {
  private readonly server: Server;
  /** Accepts the connections, because grpc-js would accept any number of them. */
  private readonly listener: NetServer;
  private readonly sockets = new Set<Socket>();
  private readonly health: HealthImplementation;
  private state: "SERVING" | "NOT_SERVING" = "NOT_SERVING";
  private readonly calls: GrpcCalls;
  private readonly sessions: GrpcSessions;
  private isClosing = false;
  private healthTimer: NodeJS.Timeout | undefined;

  constructor(parts: {
    readonly rpcs: readonly Rpc[];
    readonly gate: Gate;
    readonly inFlight: InFlight;
    /** Bounds the open connections; by default they are not bounded. */
    readonly connections?: Connections;
    readonly log: Logger;
    /** Turns on TLS; without it, the listener speaks h2c. */
    readonly tls?: Certificates | undefined;
    /** How long a request may take to arrive. */
    readonly requestTimeoutMs: number;
    readonly streamTimeouts: Pick<StreamTimeouts, "stallMs">;
  }) {
    setLogVerbosity(logVerbosity.NONE); // it would log invalid metadata to stderr, including API keys
    const credentials = parts.tls
      ? new TlsCredentials(parts.tls, parts.requestTimeoutMs)
      : ServerCredentials.createInsecure();
    const asksClients = parts.tls?.current.clientCa !== undefined;
    this.calls = new GrpcCalls(
      { arrivalMs: parts.requestTimeoutMs, stallMs: parts.streamTimeouts.stallMs },
      { admit: admission(parts.gate, parts.log), inFlight: parts.inFlight, asksClients },
    );
    const open = boundOpenStreams(HEALTH_NAMES);
    this.server = new Server({
      "grpc.max_receive_message_length": MAX_MESSAGE_BYTES,
      "grpc.max_concurrent_streams": MAX_STREAMS,
      "grpc.enable_channelz": 0, // no one reads its counters
      // Closes a connection that does not answer a ping, whether it is half open or never sent anything.
      "grpc.keepalive_time_ms": parts.requestTimeoutMs,
      "grpc.keepalive_timeout_ms": parts.requestTimeoutMs,
      interceptors: [(method, call) => (open(method.path) ?? this.calls.interceptor)(method, call)],
    });
    this.server.addService(rawDefinition(), grpcHandlers(parts.rpcs, parts.log));
    this.health = new HealthImplementation(Object.fromEntries(HEALTH_NAMES.map((name) => [name, this.state])));
    this.health.addToServer(this.server);
    addReflection(this.server);
    const injector = this.server.createConnectionInjector(credentials);
    checkCallHeads(this.server, parts.gate, parts.log);
    this.sessions = new GrpcSessions(this.server);
    this.listener = createServer((socket) => {
      if (parts.connections?.admit(socket) === false) return;
      this.sockets.add(socket);
      socket.once("close", () => this.sockets.delete(socket));
      injector.injectConnection(socket);
    });
  }

  /** @returns the port in use, which matters if `port` is 0 @throws if the port cannot be bound */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.listener.on("error", ({ message }) => reject(new Error(`cannot listen for gRPC: ${message}`)));
      this.listener.listen(port, host, () => {
        const address = this.listener.address();
        if (typeof address === "object" && address !== null) resolve(address.port);
      });
    });
  }

  /** Sets the status that `grpc.health.v1` reports for the server as a whole and for `otp.v1.OtpService`. */
  setServing(isServing: boolean): void {
    const state = isServing && !this.isClosing ? "SERVING" : "NOT_SERVING";
    if (state === this.state) return;
    this.state = state;
    this.tellHealth();
  }

  /** Tells everyone who watches the health. Proxies cut streams that are silent for too long, so the state is repeated. */
  private tellHealth(): void {
    clearTimeout(this.healthTimer);
    for (const name of HEALTH_NAMES) this.health.setStatus(name, this.state);
    this.healthTimer = setTimeout(() => this.tellHealth(), HEALTH_SILENCE_MS).unref();
  }

  /**
   * Reports NOT_SERVING, accepts no new connection and tells clients to begin no more calls. Calls in progress get `graceMs` to end
   * before they are cut off. Sessions are ended only when no call is in progress, because Node.js would otherwise destroy them as
   * soon as the frame that ends their last call arrives: see unread-stream.ts.
   *
   * @param lingerMs how long an idle connection stays open for one more call
   */
  async close(graceMs: number, lingerMs = 0): Promise<void> {
    const until = performance.now() + graceMs;
    this.isClosing = true;
    this.setServing(false);
    clearTimeout(this.healthTimer);
    this.listener.close();
    await this.sessions.announceEnd(this.calls.sessions(), lingerMs);
    await this.calls.idle(until - performance.now());
    this.calls.stop();
    const drained = new Promise<void>((resolve) => this.server.tryShutdown(() => resolve()));
    await passed(drained, SOCKET_CLOSE_MS);
    this.server.forceShutdown();
    for (const socket of this.sockets) socket.destroy();
    // An unresponsive peer could keep its socket open for any length of time.
    await passed(drained, SOCKET_CLOSE_MS);
  }
}

/** Resolves with the promise, or after `ms`. */
function passed(promise: Promise<void>, ms: number): Promise<void> {
  return Promise.race([promise, new Promise<void>((resolve) => setTimeout(resolve, ms))]);
}

/** The definition without deserialization of requests: we decode them, so that an invalid one gets our error details. */
function rawDefinition(): ServiceDefinition {
  return Object.fromEntries(
    Object.entries(grpcDefinition(OtpService)).map(([name, method]) => [
      name,
      { ...method, requestDeserialize: (bytes: Buffer) => bytes },
    ]),
  );
}
