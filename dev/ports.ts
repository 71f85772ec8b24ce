import { createServer } from "node:net";

/** The port that a variable asks for; else the usual one where it is free, else any: whoever only wants a look should not have to stop something first. */
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
