import { spawnSync } from "node:child_process";
import { createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { type PrivateRedis, startPrivateRedis } from "../../../dev/private-redis.js";
import { startServer, startWorker, TEST_SECRET } from "../../support/programs/binaries.js";

const GOOD = ["--appendonly", "yes"];
const SMTP_URL = "smtp://127.0.0.1:1";
const EVICTION = /"level":(?:40|50).*maxmemory-policy allkeys-lru/;
const PERSISTENCE = /"level":(?:40|50).*appendonly yes/;

/** An address of this machine other than loopback, if it has one. */
const OWN = Object.values(networkInterfaces())
  .flat()
  .find((address) => address?.family === "IPv4" && !address.internal)?.address;

async function withRedis(flags: readonly string[], run: (redis: PrivateRedis) => Promise<void>): Promise<void> {
  const redis = await startPrivateRedis({ flags });
  try {
    await run(redis);
  } finally {
    await redis.stop();
  }
}

/** The warnings of both binaries about the set-up of this Redis. On a slow machine, they also warn until it answers. */
async function warnings(url: string): Promise<string[][]> {
  const binaries = [await startServer(url), await startWorker(url, SMTP_URL)];
  return Promise.all(
    binaries.map(async (binary) => {
      await binary.line(/checked the set-up/);
      expect(await binary.stop()).toBe(0);
      return binary.lines.filter((line) => /"level":40/.test(line) && !line.includes("redis does not answer"));
    }),
  );
}

/** Starts a binary that is expected to refuse this Redis. */
function startStrictly(name: "server" | "worker", REDIS_URL: string) {
  const main = fileURLToPath(new URL(`../../../dist/cmd/${name}/main.js`, import.meta.url));
  const own = { SMTP_URL, MAIL_FROM: "otp@example.com", GRPC_PORT: "0", HTTP_PORT: "0", HEALTH_PORT: "0" };
  const env = { OTP_SECRET: TEST_SECRET, STRICT_START: "true", REDIS_URL, ...own };
  return spawnSync(process.execPath, [main], { env, encoding: "utf8", timeout: 20_000 });
}

describe("the server and the worker", () => {
  it("do not warn about a Redis that is configured well", async () => {
    await withRedis(GOOD, async ({ url }) => expect(await warnings(url)).toEqual([[], []]));
    await withRedis(["--save", "60 1"], async ({ url }) => expect(await warnings(url)).toEqual([[], []]));
  });

  it("warn about a Redis that evicts keys and does not persist, in one line for each problem", async () => {
    await withRedis(["--maxmemory-policy", "allkeys-lru"], async ({ url }) => {
      for (const lines of await warnings(url)) {
        expect(lines).toHaveLength(2);
        expect(lines[0]).toMatch(EVICTION);
        expect(lines[1]).toMatch(PERSISTENCE);
      }
    });
  });

  it("warn about a Redis that does not show its configuration", async () => {
    await withRedis([...GOOD, "--user", "default", "on", "nopass", "~*", "&*", "+@all", "-info"], async ({ url }) => {
      for (const lines of await warnings(url))
        expect(lines.join()).toContain("does not allow INFO, so its set-up cannot be checked");
    });
  });

  it("do not warn about a Redis without the CONFIG command", async () => {
    await withRedis(["--rename-command", "CONFIG", ""], async ({ url }) => {
      expect(await warnings(url)).toEqual([[], []]);
    });
  });

  it("warn about a Redis older than 6.2", async () => {
    const old = createServer((socket) => {
      // Answers INFO as Redis 6.0 does, and every other command with OK.
      const info = "# Server\r\nredis_version:6.0.16\r\nloading:0\r\nmaxmemory_policy:noeviction\r\naof_enabled:1\r\n";
      socket.on("data", (bytes) => {
        for (const command of bytes.toString().split(/^(?=\*\d)/m)) {
          socket.write(/^info$/im.test(command) ? `$${info.length}\r\n${info}\r\n` : "+OK\r\n");
        }
      });
      socket.on("error", () => undefined);
    });
    await new Promise<void>((resolve) => old.listen(0, "127.0.0.1", resolve));
    const address = old.address();
    const port = typeof address === "object" && address ? address.port : 0;
    const server = await startServer(`redis://127.0.0.1:${port}`);
    expect(await server.line(/"level":40.*Redis is older than 6\.2/)).toBeDefined();
    await server.stop();
    old.close();
  });

  it.skipIf(OWN === undefined)("warn about a Redis that they reach over a network without TLS", async () => {
    await withRedis([...GOOD, "--bind", String(OWN), "--protected-mode", "no"], async ({ url }) => {
      for (const lines of await warnings(url.replace("127.0.0.1", String(OWN)))) {
        expect(lines).toHaveLength(1);
        expect(lines[0]).toMatch(/REDIS_URL .*rediss:/);
      }
    });
  });
});

describe("with STRICT_START, the server and the worker", () => {
  it("refuse a Redis that evicts keys and does not persist, and log the reason", async () => {
    await withRedis(["--maxmemory-policy", "allkeys-lru"], async ({ url }) => {
      for (const name of ["server", "worker"] as const) {
        const { status, stdout, stderr } = startStrictly(name, url);
        expect(status).toBe(1);
        expect(stderr).toBe("");
        expect(stdout).toMatch(EVICTION);
        expect(stdout).toMatch(PERSISTENCE);
        expect(stdout).toMatch(/"msg":"could not start"/);
        expect(stdout).not.toContain("listening");
      }
    });
  });

  it("refuse a Redis that does not answer", () => {
    const { status, stdout } = startStrictly("server", "redis://127.0.0.1:1");
    expect(status).toBe(1);
    expect(stdout).toMatch(/STRICT_START needs a Redis that answers/);
  });

  it("start with a Redis that is configured well", async () => {
    await withRedis(GOOD, async ({ url }) => {
      const server = await startServer(url, { STRICT_START: "true" });
      const worker = await startWorker(url, SMTP_URL, { STRICT_START: "true" });
      expect(await Promise.all([server.stop(), worker.stop()])).toEqual([0, 0]);
    });
  });
});
