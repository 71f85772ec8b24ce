import type { Burst } from "./burst.js";

export interface HttpTarget {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Makes POST calls over HTTP/1.1, one for each body, until these or the time run out. */
export type HttpLoad = (target: HttpTarget, bodies: readonly string[], seconds: number) => Promise<Burst>;
