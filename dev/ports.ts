import { createServer } from "node:net";

/** The port that the environment variable names, or else the usual one, or 0 (any free port) if the usual one is taken. */
export async function choosePort(variable: string, usual: number): Promise<string> {
  return process.env[variable]?.trim() || String((await isFree(usual)) ? usual : 0);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer()
      .once("error", () => resolve(false))
      .listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}
