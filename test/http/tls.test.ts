import { once } from "node:events";
import { connect } from "node:net";
import { beforeAll, describe, it } from "vitest";
import type { Certificates } from "../../src/http/tls.js";
import { startApi } from "../support/api/api.js";
import { newAuthority } from "../support/api/certificates.js";

let tls: Certificates;

beforeAll(async () => {
  const { cert, key } = await newAuthority("self");
  tls = {
    current: { cert: Buffer.from(cert), key: Buffer.from(key), clientCa: undefined },
    on: () => undefined,
  };
});

function connectTo(port: number, bytes = "") {
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.write(bytes);
  return socket.resume();
}

describe("a connection without a TLS handshake", () => {
  it.each([
    ["that sends nothing", ""],
    ["that speaks another protocol", "this is not TLS"],
    ["that speaks HTTP without TLS", "GET / HTTP/1.1\r\nHost: x\r\n\r\n"],
  ])("%s is closed on both ports", async (_why, bytes) => {
    const api = await startApi({ tls, requestTimeoutMs: 300 });
    await Promise.all([api.grpcPort, api.httpPort].map((port) => once(connectTo(port, bytes), "close")));
    await api.stop();
  });

  it("does not keep the listeners from closing", async () => {
    const api = await startApi({ tls, requestTimeoutMs: 600_000 });
    const socket = connectTo(api.httpPort);
    await once(socket, "connect");
    const cut = once(socket, "close");
    await api.stop();
    await cut;
  });
});
