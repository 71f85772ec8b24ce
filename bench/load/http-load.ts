import type { Burst } from "./burst.js";

export interface HttpTarget {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Makes POST calls over HTTP/1.1 until the time runs out. Uses the bodies in order, and starts again at the first after the last. */
export type HttpLoad = (target: HttpTarget, bodies: readonly string[], seconds: number) => Promise<Burst>;
