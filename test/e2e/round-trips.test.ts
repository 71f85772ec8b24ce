import { once } from "node:events";
import { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect } from "vitest";
import { apiKey } from "../support/api/api-keys.js";
import { callerOf, THREE_PROTOCOLS } from "../support/clients/callers.js";
import { overOneProtocolEach } from "../support/clients/in-turn.js";
import { otherThan } from "../support/messages/codes.js";
import { startServer } from "../support/programs/binaries.js";
import { type Stack, startStack } from "../support/programs/stack.js";
import { Monitor } from "../support/redis/monitor.js";

const KEY = { authorization: "Bearer the-key" };
const API_KEYS = apiKey("backend", "the-key");

let stack: Stack;
let monitor: Monitor;
/** The commands that Redis got, except those that scripts call. */
const commands: string[] = [];

beforeAll(async () => {
  const limits = { RATE_IP_PER_MINUTE: "1000", RATE_IP_VERIFY_PER_MINUTE: "1000" };
  stack = await startStack({ server: { API_KEYS, PUBLIC_RPCS: "Generate,Verify", TRUST_PROXY: "1", ...limits } });
  monitor = await Monitor.start(stack.redis.url);
  monitor.on("command", (args) => commands.push(args.join(" ")));
});
afterAll(async () => {
  monitor.stop();
  await stack.stop();
});

/** The commands that a call sends to Redis, as far as they name a key of a client, an address or an idempotency key. */
async function commandsOf(call: () => Promise<unknown>): Promise<readonly string[]> {
  const client = new Redis(stack.redis.url);
  const mark = async (name: string) => {
    await client.echo(name);
    while (!commands.some((command) => command.endsWith(name))) await once(monitor, "command");
  };
  await mark("before");
  commands.length = 0;
  await call();
  await mark("after");
  client.disconnect();
  return commands.filter((command) => /otp:(?:\{|client|idempotency)|\{otp\}:email:id/.test(command));
}

const test = overOneProtocolEach(THREE_PROTOCOLS, (protocol) => protocol);

describe("Redis", () => {
  test("takes one command for a Verify by token from a backend, and two where a client is counted", async (protocol) => {
    const caller = callerOf(protocol, stack.server);
    const email = `trips-${protocol}@example.com`;
    const { token } = await caller.generate({ email }, KEY);
    const { code } = await stack.smtp.mailTo(email);
    const wrong = otherThan(code);
    const verify = (otp: string, headers: Record<string, string>) => async () => {
      await caller.verify({ token, otp }, headers);
    };
    await verify(wrong, {})(); // now Redis knows all scripts

    expect(await commandsOf(verify(wrong, KEY))).toHaveLength(1);
    expect(await commandsOf(verify(wrong, {}))).toHaveLength(2);
    expect(await commandsOf(verify(wrong, { ...KEY, "otp-client-ip": "203.0.113.9" }))).toHaveLength(2);
    expect(await commandsOf(verify(code, KEY))).toHaveLength(1);
  });

  test("takes one command for a Verify that the limit of the client refuses, and counts no attempt", async (protocol) => {
    const server = await startServer(stack.redis.url, { RATE_IP_VERIFY_PER_MINUTE: "1", TRUST_PROXY: "1" });
    await server.line(/redis answers/);
    const caller = callerOf(protocol, server);
    const email = `refused-${protocol}@example.com`;
    const client = { "x-forwarded-for": `203.0.113.${THREE_PROTOCOLS.indexOf(protocol)}` };
    const { token } = await caller.generate({ email });
    await stack.smtp.mailTo(email);
    await caller.verify({ token, otp: "123456" }, client);
    const refused = await commandsOf(() => caller.verify({ token, otp: "123456" }, client));
    expect(refused).toHaveLength(1);
    expect(refused[0]).toContain("otp:client:verify:");
    await server.stop();
  });

  test("takes one command more for a Verify without attempts left, to learn the wait, and one to take the count of the client back", async (protocol) => {
    const caller = callerOf(protocol, stack.server);
    const email = `spent-${protocol}@example.com`;
    const { token } = await caller.generate({ email }, KEY);
    const wrong = otherThan((await stack.smtp.mailTo(email)).code);
    for (let n = 0; n < 5; n++) await caller.verify({ token, otp: wrong }, KEY);
    expect(await commandsOf(() => caller.verify({ token, otp: wrong }, KEY))).toHaveLength(2);
    const [counted, attempted, ...rest] = await commandsOf(async () => {
      await caller.verify({ token, otp: wrong }, {});
      while (!commands.some((command) => TAKEN_BACK.test(command))) await once(monitor, "command");
    });
    expect(counted).toContain("otp:client:verify:");
    expect(attempted).toMatch(ATTEMPT_WITH_TOKEN);
    expect(rest).toHaveLength(2);
    expect(rest.filter((command) => TAKEN_BACK.test(command))).toHaveLength(1);
  });

  test("takes two commands for a Generate from a backend, and three where a client is counted", async (protocol) => {
    const caller = callerOf(protocol, stack.server);
    const generate = (headers: Record<string, string>) => async () => {
      const email = `trips-${protocol}-${Object.keys(headers).length}@example.com`;
      await caller.generate({ email }, headers);
    };
    const backend = await commandsOf(generate(KEY));
    expect(backend.filter((command) => !isWorkers(command))).toHaveLength(2);
    const stranger = await commandsOf(generate({}));
    expect(stranger.filter((command) => !isWorkers(command))).toHaveLength(3);
  });
});

const TAKEN_BACK = /otp:client:verify:.* -1 /;

/** It names the wrong attempts at the address and the request of the token. */
const ATTEMPT_WITH_TOKEN = /otp:\{[\w-]{14}\}[\w-]{8}:w otp:\{[\w-]{14}\}[\w-]{16}:[\w-]{22} /;

/** The worker names the request that it delivers, and reads the health of its senders. */
function isWorkers(command: string): boolean {
  return /otp:\{[\w-]{14}\}[\w-]{16}:[\w-]{22} /.test(command) || command.includes("otp:{senders}");
}
