import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import ipaddr from "ipaddr.js";
import { afterEach, describe, expect, it } from "vitest";
import { ownerOfConnection, type TrustedProxies } from "../../src/api/access/client-address.js";
import { affordableConnections, Connections } from "../../src/http/connections.js";
import { startApi, type TestApi } from "../support/api/api.js";

let api: TestApi;
const opened: Socket[] = [];

afterEach(async () => {
  for (const socket of opened.splice(0)) socket.destroy();
  await api.stop();
});

async function serve(total: number, perClient: number, proxies: TrustedProxies = 0): Promise<void> {
  const ownerOf = (address: string | undefined) => ownerOfConnection(address, proxies);
  api = await startApi({ connections: new Connections({ total, perClient, ownerOf }) });
}

/** Connects from an address of the loopback network. @returns the socket, when the server has decided */
async function open(port: number, from = "127.0.0.1"): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1", localAddress: from });
  socket.on("error", () => undefined);
  opened.push(socket);
  await once(socket, "connect");
  return socket.resume();
}

const closed = (socket: Socket) =>
  new Promise<void>((resolve) => (socket.closed ? resolve() : socket.once("close", () => resolve())));

/** Whether a server answers on this connection, over HTTP/1.1. */
function isServed(socket: Socket): Promise<boolean> {
  return new Promise((resolve) => {
    socket.once("data", () => resolve(true)).once("close", () => resolve(false));
    if (socket.closed) resolve(false);
    socket.write("GET /health HTTP/1.1\r\nHost: x\r\n\r\n");
  });
}

describe("the connections of one client", () => {
  it.each(["httpPort", "grpcPort"] as const)(
    "are bounded on %s, and a place is free again when one closes",
    async (port) => {
      await serve(100, 2);
      const [first] = await Promise.all([open(api[port]), open(api[port])]);
      await closed(await open(api[port]));
      first.destroy();
      await expect.poll(async () => isServed(await open(api.httpPort))).toBe(true);
    },
  );

  it("are bounded on both listeners together, and leave those of others alone", async () => {
    await serve(100, 2);
    await Promise.all([open(api.httpPort), open(api.grpcPort)]);
    expect(await isServed(await open(api.httpPort))).toBe(false);
    expect(await isServed(await open(api.httpPort, "127.0.0.2"))).toBe(true);
  });

  it("are not bounded when they come from a trusted proxy", async () => {
    await serve(100, 2, [[ipaddr.IPv4.parse("127.0.0.1"), 32]]);
    for (let n = 0; n < 5; n++) expect(await isServed(await open(api.httpPort))).toBe(true);
    for (let n = 0; n < 2; n++) expect(await isServed(await open(api.httpPort, "127.0.0.2"))).toBe(true);
    expect(await isServed(await open(api.httpPort, "127.0.0.2"))).toBe(false);
  });
});

describe("when all places are taken", () => {
  it.each([0, 1])(
    "the client with the most connections loses an idle one to another client, and keeps those in use, with %i proxies",
    async (hops) => {
      await serve(5, 100, hops);
      const used = await open(api.httpPort);
      expect(await isServed(used)).toBe(true);
      const idle = await Promise.all(Array.from({ length: 4 }, () => open(api.grpcPort)));
      const session = connectHttp2(`http://127.0.0.1:${api.grpcPort}`, { localAddress: "127.0.0.2" } as object);
      await once(session, "remoteSettings");
      await Promise.race(idle.map(closed));
      expect(await isServed(used)).toBe(true);
      session.destroy();
    },
  );

  it("a trusted proxy keeps its connections and gets another one, at the expense of other clients", async () => {
    await serve(5, 100, [[ipaddr.IPv4.parse("127.0.0.1"), 32]]);
    const proxied = await Promise.all(Array.from({ length: 3 }, () => open(api.httpPort)));
    const strangers = await Promise.all(Array.from({ length: 2 }, () => open(api.httpPort, "127.0.0.2")));
    expect(await isServed(strangers[1] ?? (await open(api.httpPort)))).toBe(true);
    proxied.push(await open(api.httpPort));
    await Promise.race(strangers.map(closed));
    for (const connection of proxied) expect(await isServed(connection)).toBe(true);
  });

  it("the client with the most connections gets no other one", async () => {
    await serve(3, 100);
    await Promise.all(Array.from({ length: 3 }, () => open(api.httpPort)));
    expect(await isServed(await open(api.httpPort))).toBe(false);
  });
});

describe("a process", () => {
  it("keeps file descriptors for Redis and DNS", () => {
    for (const descriptors of [256, 1_024, 2_048, 20_000, 1_048_576]) {
      const connections = affordableConnections(descriptors);
      expect(descriptors - connections).toBeGreaterThanOrEqual(64);
      expect(connections).toBeGreaterThanOrEqual(descriptors / 2);
    }
    expect(affordableConnections()).toBeGreaterThan(0);
  });
});
