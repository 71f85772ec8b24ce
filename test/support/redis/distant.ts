import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** A Redis that is far away: each byte takes half of the round trip in either direction. */
export interface DistantRedis {
  readonly url: string;
  stop(): Promise<void>;
}

/** @param url the Redis to pass everything on to */
export async function startDistantRedis(url: string, roundTripMs: number): Promise<DistantRedis> {
  const { hostname, port, pathname } = new URL(url);
  const sockets = new Set<Socket>();
  const carry = (from: Socket, to: Socket) => {
    sockets.add(from);
    from.on("error", () => undefined);
    from.on("data", (bytes) => setTimeout(() => to.writable && to.write(bytes), roundTripMs / 2));
    from.once("close", () => {
      sockets.delete(from);
      setTimeout(() => to.destroy(), roundTripMs / 2);
    });
  };
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    carry(near, far);
    carry(far, near);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `redis://127.0.0.1:${(server.address() as AddressInfo).port}${pathname}`,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
