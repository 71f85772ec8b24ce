import { execFileSync } from "node:child_process";
import { loadWithAutocannon } from "./autocannon.js";
import type { HttpLoad } from "./http-load.js";
import { loadWithWrk } from "./wrk.js";

/** `wrk` where it is installed, for it costs little; else autocannon. */
export function findHttpLoad(): { readonly name: string; readonly load: HttpLoad } {
  try {
    execFileSync("wrk", ["--version"], { stdio: "ignore" });
  } catch (error) {
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    if (isMissing) return { name: "autocannon", load: loadWithAutocannon };
  }
  return { name: "wrk", load: loadWithWrk }; // it ends with status 1 even when it works
}
