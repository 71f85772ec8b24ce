import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { OWN, QUEUE } from "../../src/redis/connection/rights.js";

const FOLDER = "src/redis";
const ONLY_SERVER = /limits\/|attempt|claim-send|release-send|read-progress/;
const ONLY_WORKER = /store-code|begin-send|choose-sender/;
const own = readdirSync(FOLDER, { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".lua"));

/** BullMQ's scripts for adding a job, and for everything that happens to it in a worker. */
const BULLMQ = {
  server: ["addStandardJob-9"],
  worker: [
    "moveToActive-11",
    "moveToFinished-14",
    "moveToDelayed-11",
    "retryJob-11",
    "moveStalledJobsToWait-9",
    "extendLocks-1",
    "moveJobFromActiveToWait-9",
    "moveJobsToWait-8",
    "getRanges-1",
  ],
};
const bullmq = join(dirname(createRequire(import.meta.url).resolve("bullmq")), "../esm/scripts");

const called = (lua: string) =>
  [...lua.matchAll(/\b(?:rcall|p?call)\(\s*["'](\w+)["']/g)].map(([, name = ""]) => name.toLowerCase());
const passedOn = (lua: string) => [...lua.matchAll(/["']([RL]PUSH)["']/g)].map(([, name = ""]) => name.toLowerCase());
const sorted = (names: Iterable<string>) => [...new Set(names)].sort();

describe.each(["server", "worker"] as const)("the rights that the %s needs", (binary) => {
  it("include each command of its own scripts, and no other", () => {
    const others = binary === "server" ? ONLY_WORKER : ONLY_SERVER;
    const files = own.filter((file) => !others.test(file));
    const commands = files.flatMap((file) =>
      [...readFileSync(join(FOLDER, file), "utf8").matchAll(/redis\.p?call\('(\w+)'/g)].map(([, name = ""]) =>
        name.toLowerCase(),
      ),
    );
    expect(sorted([...OWN[binary], "time", "publish"])).toEqual(sorted(commands));
  });

  it("include each command of BullMQ's scripts, and no other", () => {
    const scripts = BULLMQ[binary].map((name) => readFileSync(join(bullmq, `${name}.js`), "utf8"));
    expect(sorted(QUEUE[binary])).toEqual(sorted(scripts.flatMap((lua) => [...called(lua), ...passedOn(lua)])));
  });
});
