// Preloaded into a binary (node --import): on SIGUSR2 it writes the files of ours that ran since the last SIGUSR2, as JSON.
import { renameSync, writeFileSync } from "node:fs";
import { Session } from "node:inspector";

const ROOT = new URL("../../../dist/", import.meta.url).href;

const session = new Session();
session.connect();
session.post("Profiler.enable");
session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: false });

let taken = 0;
process.on("SIGUSR2", () => {
  session.post("Profiler.takePreciseCoverage", (_error, { result }) => {
    const executed = result
      .filter(({ url, functions }) => url.startsWith(ROOT) && functions.some(({ ranges }) => ranges[0].count > 0))
      .map(({ url }) => url.slice(ROOT.length).replace(/\.js$/, ".ts"));
    taken++;
    const file = `${process.env.EXECUTED_FILES}.${taken}`;
    writeFileSync(`${file}.part`, JSON.stringify(executed));
    renameSync(`${file}.part`, file); // a reader never sees half of it
  });
});
