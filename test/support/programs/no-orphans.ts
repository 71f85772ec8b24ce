import { afterAll } from "vitest";
import { descendantsOf } from "./processes.js";

/** Ends the processes that a test started and did not stop, because it failed or was interrupted. */
function killDescendants(): void {
  for (const pid of descendantsOf(process.pid)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // it has ended in the meantime
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
