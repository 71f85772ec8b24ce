import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A Node.js whose process may open only so many files. */
export interface LimitedNode {
  readonly path: string;
  remove(): void;
}

export function limitedNode(descriptors: number): LimitedNode {
  const folder = mkdtempSync(join(tmpdir(), "countersign-descriptors-"));
  const path = join(folder, "node");
  writeFileSync(path, `#!/bin/sh\nulimit -n ${descriptors}\nexec "${process.execPath}" "$@"\n`, { mode: 0o755 });
  return { path, remove: () => rmSync(folder, { recursive: true }) };
}
