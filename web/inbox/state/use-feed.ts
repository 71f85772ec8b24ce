import { useEffect, useState } from "react";
import type { Summary } from "../../../dev/inbox/message.js";
import { useIsVisible } from "../../look/use-is-visible.js";
import { Feed } from "./feed.js";

export type Connection = "connecting" | "live" | "lost";

export interface FeedState {
  /** Newest first; undefined until they are loaded. */
  readonly messages: readonly Summary[] | undefined;
  readonly connection: Connection;
  /** The latest message that arrived while the page was open. */
  readonly arrival: Summary | undefined;
}

export function useFeed(): FeedState {
  const [messages, setMessages] = useState<readonly Summary[]>();
  const [connection, setConnection] = useState<Connection>("connecting");
  const [arrival, setArrival] = useState<Summary>();
  const isVisible = useIsVisible();
  useEffect(() => {
    // A browser opens six connections to one server for all of its tabs, so a hidden tab gives up its own.
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
