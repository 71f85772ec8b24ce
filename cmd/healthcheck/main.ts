import { SERVER, WORKER } from "../../src/config.js";
import { configOrExit } from "../config-or-exit.js";

const TIMEOUT_MS = 2_000;

// Only one of the two binaries runs in a container: whichever port answers is its own.
const { HTTP_PORT, HEALTH_PORT } = configOrExit({ HTTP_PORT: SERVER.HTTP_PORT, HEALTH_PORT: WORKER.HEALTH_PORT });

try {
  await Promise.any([HTTP_PORT, HEALTH_PORT].map(checkReady));
} catch {
  console.error("not ready");
  process.exit(1);
}

async function checkReady(port: number): Promise<void> {
  const { ok } = await fetch(`http://127.0.0.1:${port}/health/ready`, { signal: AbortSignal.timeout(TIMEOUT_MS) });
  if (!ok) throw new Error("not ready");
}
