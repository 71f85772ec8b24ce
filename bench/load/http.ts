import { execFileSync } from "node:child_process";
import { loadWithAutocannon } from "./autocannon.js";
import type { HttpLoad } from "./http-load.js";
import { loadWithWrk } from "./wrk.js";

/** Returns `wrk`, which uses little CPU, if it is installed, otherwise autocannon. */
export function findHttpLoad(): { readonly name: string; readonly load: HttpLoad } {
  try {
    execFileSync("wrk", ["--version"], { stdio: "ignore" });
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    if (isMissing) return { name: "autocannon", load: loadWithAutocannon };
  }
  return { name: "wrk", load: loadWithWrk }; // `wrk --version` exits with status 1 even though it works
}
