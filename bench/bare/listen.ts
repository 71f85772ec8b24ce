import type { Server } from "node:net";
import { sayListening } from "./said.js";

/** Listens on a free port of loopback and prints it. */
export function listen(server: Server): void {
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    if (typeof address === "object" && address) sayListening({ httpPort: address.port });
  });
}
