import { useEffect, useState } from "react";
import type { Summary } from "../../../dev/inbox/message.js";
import { useIsVisible } from "../../look/use-is-visible.js";
import { Feed } from "./feed.js";

export type Connection = "connecting" | "live" | "lost";

export interface FeedState {
  /** Newest first; `undefined` until they are known. */
  readonly messages: readonly Summary[] | undefined;
  readonly connection: Connection;
  /** The message that came last while the page was open. */
  readonly arrival: Summary | undefined;
}

export function useFeed(): FeedState {
  const [messages, setMessages] = useState<readonly Summary[]>();
  const [connection, setConnection] = useState<Connection>("connecting");
  const [arrival, setArrival] = useState<Summary>();
  const isVisible = useIsVisible();
  useEffect(() => {
    // A browser has six connections to a server for all of its tabs: one that nobody sees leaves its own to the others.
    if (!isVisible) return;
    const feed = new Feed({
      onMessages: setMessages,
      onArrival: setArrival,
      onConnection: (isConnected) => setConnection(isConnected ? "live" : "lost"),
    });
    feed.open();
    return () => feed.close();
  }, [isVisible]);
  return { messages, connection, arrival };
}
