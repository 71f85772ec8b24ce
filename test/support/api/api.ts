import { pino } from "pino";
import { type Access, Gate } from "../../../src/api/access/gate.js";
import { GrpcListener } from "../../../src/api/grpc/listener.js";
import { httpHandler } from "../../../src/api/http-handler.js";
import type { PageRoutes } from "../../../src/api/rest/page.js";
import { problems } from "../../../src/api/rest/problem.js";
import type { ReceiptTakers } from "../../../src/api/rest/receipts.js";
import { OpenWatches } from "../../../src/api/rpc/open-watches.js";
import { otpRpcs } from "../../../src/api/rpc/otp-rpcs.js";
import type { Connections } from "../../../src/http/connections.js";
import { InFlight } from "../../../src/http/in-flight.js";
import { HttpServer } from "../../../src/http/server.js";
import type { StreamTimeouts } from "../../../src/http/stream.js";
import type { Certificates } from "../../../src/http/tls.js";
import { digestCode } from "../../../src/otp/challenge/code.js";
import { deriveKeyring } from "../../../src/otp/crypto/keyring.js";
import type { SealedJob } from "../../../src/otp/delivery/job.js";
import type { Challenges, ClientLimits } from "../../../src/otp/ports.js";
import { OtpService } from "../../../src/otp/service.js";
import { NO_CLIENT_LIMITS } from "../fakes/client-limits.js";
import { MemoryChallenges } from "../fakes/memory-challenges.js";
import { MemoryIdempotencyKeys } from "../fakes/memory-idempotency-keys.js";
import { NO_CHANGES, NO_DELIVERIES } from "../fakes/no-deliveries.js";
import { lifeOf } from "../messages/codes.js";

const OPEN: Access = { keys: [], clientCertificates: false, publicRpcs: [], proxies: 0, callsPerMinute: 0 };
const LIFE_MS = 600_000;
const [keys] = deriveKeyring(["a secret for the tests of the API, long enough"]);

/** The real listeners over challenges in memory, and the jobs that a worker would get. */
export interface TestApi {
  readonly http: string;
  readonly httpPort: number;
  readonly grpcPort: number;
  readonly grpc: GrpcListener;
  readonly httpServer: HttpServer;
  readonly jobs: readonly SealedJob[];
  readonly challenges: MemoryChallenges;
  readonly watches: OpenWatches;
  /** The lines that were logged. */
  readonly log: readonly string[];
  /** Does the worker's part for the last job: stores this code. */
  deliver(code: string): Promise<void>;
  stop(): Promise<void>;
}

export async function startApi(
  options: {
    readonly requestTimeoutMs?: number;
    readonly page?: PageRoutes;
    readonly corsOrigins?: readonly (string | RegExp)[];
    readonly allowedHosts?: readonly string[];
    readonly redisAlive?: () => boolean;
    readonly tls?: Certificates;
    readonly clientLimits?: ClientLimits;
    readonly access?: Partial<Access>;
    /** Wraps the challenges in memory. */
    readonly wrap?: (challenges: MemoryChallenges) => Challenges;
    /** Replaces the watch of the domain. */
    readonly watch?: OtpService["watch"];
    readonly maxWatches?: { readonly total?: number; readonly perClient?: number; readonly perRequest?: number };
    readonly connections?: Connections;
    readonly maxInFlightBytes?: number;
    readonly streamTimeouts?: Partial<StreamTimeouts>;
    readonly receipts?: ReceiptTakers;
    readonly maxAttempts?: number;
  } = {},
): Promise<TestApi> {
  const lines: string[] = [];
  const log = pino({ level: "debug" }, { write: (line: string) => void lines.push(line) });
  const challenges = new MemoryChallenges();
  const jobs: SealedJob[] = [];
  const service = new OtpService({
    challenges: options.wrap?.(challenges) ?? challenges,
    deliveries: NO_DELIVERIES,
    changes: NO_CHANGES,
    clientLimits: options.clientLimits ?? NO_CLIENT_LIMITS,
    idempotencyKeys: new MemoryIdempotencyKeys(() => challenges.now),
    mailDomains: undefined,
    queue: { add: async (job) => void jobs.push(job) },
    keyring: [keys],
    settings: {
      channels: ["email"],
      codeLength: 6,
      lifeMs: LIFE_MS,
      maxAttempts: options.maxAttempts ?? 5,
      sends: { cooldownMs: 30_000, perHour: 5, perDay: 20 },
      testAddresses: [],
    },
    now: () => challenges.now,
  });

  const watches = new OpenWatches({ total: 1000, perClient: 0, perRequest: 1000, ...options.maxWatches });
  const { watch = (...args) => service.watch(...args) } = options;
  const domain: Parameters<typeof otpRpcs>[0] = {
    generate: (...args) => service.generate(...args),
    verify: (...args) => service.verify(...args),
    watch,
  };
  const gate = new Gate({ ...OPEN, ...options.access });
  const parts = {
    rpcs: otpRpcs(domain, gate, watches),
    gate,
    inFlight: new InFlight(options.maxInFlightBytes ?? 64 * 1024 * 1024),
    ...(options.connections && { connections: options.connections }),
    log,
    tls: options.tls,
    requestTimeoutMs: options.requestTimeoutMs ?? 10_000,
    streamTimeouts: { heartbeatMs: 15_000, stallMs: 20_000, ...options.streamTimeouts },
  };
  const health = { checks: () => ({ redis: options.redisAlive?.() ?? true }) };
  const grpc = new GrpcListener(parts);
  const handler = httpHandler({
    ...parts,
    health,
    receipts: options.receipts ?? { readers: new Map(), take: async () => undefined },
    page: options.page,
    corsOrigins: options.corsOrigins ?? [],
    allowedHosts: options.allowedHosts ?? [],
  });
  const httpServer = new HttpServer({ ...parts, handler, problemOf: problems(log) });
  const grpcPort = await grpc.listen("127.0.0.1", 0);
  const httpPort = await httpServer.listen("127.0.0.1", 0);
  return {
    http: `http://127.0.0.1:${httpPort}`,
    httpPort,
    grpcPort,
    grpc,
    httpServer,
    jobs,
    challenges,
    watches,
    log: lines,
    deliver: async (code) => {
      const job = jobs.at(-1);
      if (job === undefined) throw new Error("there is no job");
      const kept = { digest: digestCode(keys, job.challenge, code), sealed: code };
      await challenges.store(job.challenge, job.request, kept, lifeOf(LIFE_MS));
    },
    stop: async () => {
      watches.close();
      await Promise.all([grpc.close(1000), httpServer.close(1000)]);
    },
  };
}
