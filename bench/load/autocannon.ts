import autocannon from "autocannon";
import { type Burst, IN_FLIGHT } from "./burst.js";
import type { HttpTarget } from "./http-load.js";

/** @throws if a connection is lost */
export async function loadWithAutocannon(
  { port, path, headers }: HttpTarget,
  bodies: readonly string[],
  seconds: number,
): Promise<Burst> {
  let sent = 0;
  const result = await autocannon({
    url: `http://127.0.0.1:${port}${path}`,
    method: "POST",
    headers,
    connections: IN_FLIGHT,
    duration: seconds,
    requests: [{ setupRequest: (request) => ({ ...request, body: bodies[sent++ % bodies.length] ?? "" }) }],
  });
  if (result.errors > 0) throw new Error(`autocannon lost ${result.errors} calls`);
  const answers = new Map(
    Object.entries(result.statusCodeStats ?? {}).map(([status, { count = 0 }]) => [status, count]),
  );
  const total = [...answers.values()].reduce((sum, count) => sum + count, 0);
  return { perSecond: total / result.duration, p50: result.latency.p50, p99: result.latency.p99, answers };
}
