import { defineConfig } from "vitest/config";

/** The tests that run in a real browser. */
export default defineConfig({
  test: {
    include: ["test/browser/**/*.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    setupFiles: "test/support/programs/no-orphans.ts",
    globalSetup: "test/support/programs/programs-present.ts",
  },
});
