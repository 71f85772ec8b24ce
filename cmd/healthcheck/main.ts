import { get as getPlain } from "node:http";
import { get as getSecure } from "node:https";
import { SERVER } from "../../src/config/server.js";
import { WORKER } from "../../src/config/worker.js";
import { configOrExit } from "../config-or-exit.js";

const TIMEOUT_MS = 2_000;
/** Where what binds all addresses is found. */
const LOOPBACK = new Map([
  ["0.0.0.0", "127.0.0.1"],
  ["::", "::1"],
]);

// Only one of the two binaries runs in a container: whichever port answers is its own.
const { HOST, HTTP_PORT, HEALTH_PORT, TLS_CERT_FILE } = configOrExit({
  HOST: SERVER.HOST,
  HTTP_PORT: SERVER.HTTP_PORT,
  HEALTH_PORT: WORKER.HEALTH_PORT,
  TLS_CERT_FILE: SERVER.TLS_CERT_FILE,
});

try {
  await Promise.any([
    checkReady(HTTP_PORT, TLS_CERT_FILE === undefined ? getPlain : getSecure),
    checkReady(HEALTH_PORT),
  ]);
} catch {
  console.error("not ready");
  process.exit(1);
}

/** Whose certificate it is does not matter here: it is this machine's own. */
async function checkReady(port: number, get: typeof getPlain | typeof getSecure = getPlain): Promise<void> {
  const options = {
    host: LOOPBACK.get(HOST) ?? HOST,
    port,
    path: "/health/ready",
    timeout: TIMEOUT_MS,
    rejectUnauthorized: false,
  };
  await new Promise<void>((resolve, reject) => {
    const request = get(options, ({ statusCode }) => {
      if (statusCode === 200) resolve();
      else reject(new Error("not ready"));
      request.destroy();
    });
    request.on("timeout", () => request.destroy());
    request.on("error", reject);
    request.on("close", () => reject(new Error("closed")));
  });
}
