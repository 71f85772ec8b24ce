import type { Burst } from "./burst.js";

export interface HttpTarget {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Makes POST calls over HTTP/1.1 until the time has run out, with one body after the other, and after the last with the first again. */
export type HttpLoad = (target: HttpTarget, bodies: readonly string[], seconds: number) => Promise<Burst>;
