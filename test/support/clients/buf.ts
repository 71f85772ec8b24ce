import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));

/** Runs `buf curl`, which is to gRPC, gRPC-Web and Connect what grpcurl is to gRPC. @returns its output */
export async function bufCurl(...args: string[]): Promise<string> {
  const buf = fileURLToPath(new URL("../../../node_modules/.bin/buf", import.meta.url));
  const { stdout } = await promisify(execFile)(buf, ["curl", ...args], { cwd: ROOT });
  return stdout;
}
