// Copies the files that the program reads at run time, and that tsc leaves out, to the compiled files.
import { chmodSync, cpSync } from "node:fs";

const root = new URL("../", import.meta.url);
const from = (path) => new URL(path, root);

cpSync(from("templates"), from("dist/templates"), { recursive: true });
cpSync(from("src/redis"), from("dist/src/redis"), { recursive: true, filter: (path) => !path.endsWith(".ts") });
for (const binary of ["server", "worker"]) chmodSync(from(`dist/cmd/${binary}/main.js`), 0o755);
