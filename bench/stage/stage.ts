import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { type PrivateRedis, startPrivateRedis } from "../../dev/private-redis.js";
import { type Program, startProgram } from "./process.js";

/** The API key of a backend. */
export const API_KEY = "a-key-of-the-benchmark";
export const SECRET = "a-secret-for-the-benchmark-0123456789";
export const MAIL_FROM = { name: "Countersign", address: "otp@countersign.example" };

/** A limit per minute that no run reaches. The service still counts each call. */
const UNLIMITED = String(1_000_000_000);

const BUILT = new URL("../../", import.meta.url);

type Env = Readonly<Record<string, string>>;

/** The environment of a row: its own Redis, and the programs that it starts. All of them end with the row. */
export class Stage {
  private readonly programs: Program[] = [];
  private readonly folder = mkdtempSync(join(tmpdir(), "countersign-bench-"));

  private constructor(
    private readonly redisServer: PrivateRedis,
    /** A connection for inspecting and clearing Redis. */
    readonly redis: Redis,
    private readonly profile: string | undefined,
  ) {}

  /** @param profile the folder for the CPU profiles of our programs */
  static async open(profile: string | undefined): Promise<Stage> {
    const server = await startPrivateRedis();
    return new Stage(server, new Redis(server.url), profile);
  }

  get redisUrl(): string {
    return this.redisServer.url;
  }

  /** Starts our server as in production, except that no call reaches the limits per client address. They are counted. */
  server(env: Env = {}): Promise<Program> {
    return this.start("cmd/server/main.js", this.profile, {
      GRPC_PORT: "0",
      HTTP_PORT: "0",
      API_KEYS: `bench:${createHash("sha256").update(API_KEY).digest("hex")}`,
      PUBLIC_RPCS: "Generate,Verify",
      RATE_IP_PER_MINUTE: UNLIMITED,
      RATE_IP_VERIFY_PER_MINUTE: UNLIMITED,
      DNS_CHECK: "off", // the domains of the addresses do not exist
      ...env,
    });
  }

  /** Starts our worker as in production. It sends mail to this port. */
  worker(smtpPort: number, env: Env = {}): Promise<Program> {
    return this.start("cmd/worker/main.js", this.profile, {
      HEALTH_PORT: "0",
      SMTP_URL: `smtp://127.0.0.1:${smtpPort}`,
      MAIL_FROM: `${MAIL_FROM.name} <${MAIL_FROM.address}>`,
      ...env,
    });
  }

  /** Starts one of the programs in `bare/`. */
  bare(name: string, env: Env = {}): Promise<Program> {
    return this.start(`bench/bare/${name}.js`, undefined, env);
  }

  /** Deletes everything in Redis. */
  async clear(): Promise<void> {
    await this.redis.flushall();
  }

  async close(): Promise<void> {
    for (const program of this.programs.toReversed()) await program.stop();
    this.redis.disconnect();
    await this.redisServer.stop();
    rmSync(this.folder, { recursive: true });
  }

  private async start(main: string, profile: string | undefined, env: Env): Promise<Program> {
    const program = await startProgram(new URL(main, BUILT), {
      env: { REDIS_URL: this.redisUrl, OTP_SECRET: SECRET, ...env },
      logFile: join(this.folder, `${this.programs.length}.log`),
      nodeFlags: profile === undefined ? [] : ["--cpu-prof", "--cpu-prof-dir", profile],
    });
    this.programs.push(program);
    return program;
  }
}
