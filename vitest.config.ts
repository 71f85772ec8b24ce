import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    exclude: ["test/browser/**"], // `npm run test:browser` runs these
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 2, // most tests wait for processes, so two share a core
    setupFiles: "test/support/programs/no-orphans.ts",
    globalSetup: "test/support/programs/programs-present.ts",
  },
});
