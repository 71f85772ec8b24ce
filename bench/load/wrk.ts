import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { type Burst, IN_FLIGHT } from "./burst.js";
import type { HttpTarget } from "./http-load.js";

const SCRIPT = new URL("../../../bench/load/wrk.lua", import.meta.url).pathname;

/** @throws if a connection is lost */
export async function loadWithWrk(
  { port, path, headers }: HttpTarget,
  bodies: readonly string[],
  seconds: number,
): Promise<Burst> {
  const folder = mkdtempSync(join(tmpdir(), "countersign-wrk-"));
  try {
    const file = join(folder, "bodies");
    writeFileSync(file, bodies.join("\n"));
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    const url = `http://127.0.0.1:${port}${path}`;
    const flags = ["-t1", `-c${IN_FLIGHT}`, `-d${seconds}s`, "-s", SCRIPT, url, "--", file, ...lines];
    const { stdout } = await promisify(execFile)("wrk", flags);
    return read(stdout);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function read(stdout: string): Burst {
  const said = JSON.parse(stdout.trim().split("\n").at(-1) ?? "");
  if (said.lost > 0) throw new Error(`wrk lost ${said.lost} calls`);
  const answers = new Map<string, number>(Object.entries<number>(said.answers));
  const total = [...answers.values()].reduce((sum, count) => sum + count, 0);
  return { perSecond: total / said.seconds, p50: said.p50, p99: said.p99, answers };
}
