import { fromJsonString } from "@bufbuild/protobuf";
import { type WatchResponse, WatchResponseSchema } from "../../../src/gen/otp/v1/otp_service_pb.js";
import { connectClients, explain } from "./clients.js";

/** How a watch ended, over any protocol. */
export interface WatchEnd {
  /** `OK`, the reason of the error, or the code of an error without a reason. */
  readonly reason: string | undefined;
  readonly message: string;
  /** The invalid fields. */
  readonly fields: readonly string[];
  /** Seconds to wait. */
  readonly wait: number | undefined;
}

/** An open watch. */
export interface Watching {
  /** The next step, or how the watch ended. */
  next(): Promise<WatchResponse | WatchEnd>;
  /** Disconnects. */
  leave(): void;
}

export type OpenWatch = (token: string, headers?: Readonly<Record<string, string>>) => Watching;

/** The refusal of a watch over server-sent events. */
class Refused extends Error {
  constructor(readonly end: WatchEnd) {
    super(end.message);
  }
}

export const EVENTS = "server-sent events";

/** One way to watch for each protocol. All of them return the same steps. */
export function watchersOf(server: {
  readonly http: string;
  readonly grpcPort: number;
}): Readonly<Record<string, OpenWatch>> {
  const clients = Object.entries(connectClients(server.http, `http://127.0.0.1:${server.grpcPort}`));
  const byClients = clients.map(([name, client]): [string, OpenWatch] => [
    name,
    (token, headers = {}) => follow((signal) => client.watch({ token }, { signal, headers })),
  ]);
  const byEvents: OpenWatch = (token, headers = {}) =>
    follow((signal) => readEvents(`${server.http}/otp/watch?token=${token}`, { signal, headers }));
  return { ...Object.fromEntries(byClients), [EVENTS]: byEvents };
}

function follow(open: (signal: AbortSignal) => AsyncIterable<WatchResponse>): Watching {
  const left = new AbortController();
  const steps = open(left.signal)[Symbol.asyncIterator]();
  const next = async () => {
    try {
      const { done, value } = await steps.next();
      return done ? { reason: "OK", message: "", fields: [], wait: undefined } : value;
    } catch (thrown) {
      return thrown instanceof Refused ? thrown.end : endOf(thrown);
    }
  };
  return { next, leave: () => left.abort() };
}

function endOf(thrown: unknown): WatchEnd {
  const { code, reason = code, message, fields, retryAfter: wait } = explain(thrown);
  return { reason, message, fields, wait };
}

/** Reads events as an `EventSource` does, and compares each id with its data. */
async function* readEvents(url: string, init: RequestInit): AsyncGenerator<WatchResponse> {
  const response = await fetch(url, init);
  if (response.status !== 200) throw new Refused(await refusalOf(response));
  let text = "";
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString();
    const events = text.split("\n\n");
    text = events.pop() ?? "";
    for (const event of events) {
      const [, id, data] = /^id: (\d+)\ndata: (.*)$/.exec(event) ?? [];
      if (data === undefined) continue; // a comment, or the retry interval
      const message = fromJsonString(WatchResponseSchema, data);
      if (String(message.sequence) !== id) throw new Error("the id is not the sequence");
      yield message;
    }
  }
}

async function refusalOf(response: Response): Promise<WatchEnd> {
  const { reason, message, errors = [] } = JSON.parse(await response.text());
  const wait = response.headers.get("Retry-After");
  const fields = errors.map(({ pointer }: { pointer: string }) => pointer.replace("#/", ""));
  return { reason, message, fields, wait: wait === null ? undefined : Number(wait) };
}
