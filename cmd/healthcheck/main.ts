import { get as getPlain } from "node:http";
import { get as getSecure } from "node:https";
import { SERVER } from "../../src/config/server.js";
import { WORKER } from "../../src/config/worker.js";
import { configOrExit } from "../config-or-exit.js";

const TIMEOUT_MS = 2_000;
/** The address that reaches a listener on all addresses. */
const LOOPBACK = new Map([
  ["0.0.0.0", "127.0.0.1"],
  ["::", "::1"],
]);

// A container runs only one of the two binaries, so the port that answers belongs to it.
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

/** Accepts any certificate, because the request does not leave this machine. */
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
