import { afterAll } from "vitest";
import { descendantsOf } from "./processes.js";

/** A test that fails, or is interrupted, may not get to stop what it started. */
function killDescendants(): void {
  for (const pid of descendantsOf(process.pid)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended since.
    }
  }
}

afterAll(killDescendants);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.once(signal, () => {
    killDescendants();
    process.exit(1);
  });
}
