import { afterAll } from "vitest";
import { descendantsOf } from "./processes.js";

// A test that fails may not get to stop what it started.
afterAll(() => {
  for (const pid of descendantsOf(process.pid)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended since.
    }
  }
});
