import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

it("what is published has both binaries and the page, and nothing that is for development", async () => {
  const { stdout } = await promisify(execFile)("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"], {
    cwd: ROOT,
  });
  const [published] = JSON.parse(stdout);
  const paths = published.files.map(({ path }: { path: string }) => path);
  expect(paths).toEqual(
    expect.arrayContaining(["dist/cmd/server/main.js", "dist/cmd/worker/main.js", "dist/web/page/index.html"]),
  );
  expect(paths.filter((path: string) => /^(?:dist\/(?:(?:cmd\/)?dev|bench)|web|test|bench|dev)\//.test(path))).toEqual(
    [],
  );
});
