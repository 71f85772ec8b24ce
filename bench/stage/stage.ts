import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { type PrivateRedis, startPrivateRedis } from "../../dev/private-redis.js";
import { type Program, startProgram } from "./process.js";

/** What a backend shows. */
export const API_KEY = "a-key-of-the-benchmark";
export const SECRET = "a-secret-for-the-benchmark-0123456789";
export const MAIL_FROM = { name: "Countersign", address: "otp@countersign.example" };

/** So many a minute are no limit, and are counted all the same. */
const UNLIMITED = String(1_000_000_000);

const BUILT = new URL("../../", import.meta.url);

type Env = Readonly<Record<string, string>>;

/** Where a row is played: a Redis of its own, and the programs that it starts. All of it ends with the row. */
export class Stage {
  private readonly programs: Program[] = [];
  private readonly folder = mkdtempSync(join(tmpdir(), "countersign-bench-"));

  private constructor(
    private readonly redisServer: PrivateRedis,
    /** For looking at the Redis. */
    readonly redis: Redis,
    private readonly profile: string | undefined,
  ) {}

  /** @param profile where our programs leave their CPU profiles */
  static async open(profile: string | undefined): Promise<Stage> {
    const server = await startPrivateRedis();
    return new Stage(server, new Redis(server.url), profile);
  }

  get redisUrl(): string {
    return this.redisServer.url;
  }

  /** Our server as in production; the limits per client address are out of reach, and counted. */
  server(env: Env = {}): Promise<Program> {
    return this.start("cmd/server/main.js", this.profile, {
      GRPC_PORT: "0",
      HTTP_PORT: "0",
      API_KEYS: `bench:${createHash("sha256").update(API_KEY).digest("hex")}`,
      PUBLIC_RPCS: "Generate,Verify",
      RATE_IP_PER_MINUTE: UNLIMITED,
      RATE_IP_VERIFY_PER_MINUTE: UNLIMITED,
      DNS_CHECK: "off", // addresses here are at domains that there are not
      ...env,
    });
  }

  /** Our worker as in production, mailing to this port. */
  worker(smtpPort: number, env: Env = {}): Promise<Program> {
    return this.start("cmd/worker/main.js", this.profile, {
      HEALTH_PORT: "0",
      SMTP_URL: `smtp://127.0.0.1:${smtpPort}`,
      MAIL_FROM: `${MAIL_FROM.name} <${MAIL_FROM.address}>`,
      ...env,
    });
  }

  /** One of the programs in `bare/`. */
  bare(name: string, env: Env = {}): Promise<Program> {
    return this.start(`bench/bare/${name}.js`, undefined, env);
  }

  /** Forgets all that is in Redis. */
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
