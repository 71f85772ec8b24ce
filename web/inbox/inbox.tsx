import { useState, useSyncExternalStore } from "react";
import { Detail } from "./detail.js";
import { Header } from "./header.js";
import { NoSelection } from "./hints.js";
import { MessageList } from "./message-list.js";
import { useFeed } from "./state/use-feed.js";
import { announcement } from "./words.js";

/** The whole page: the list on the left and the selected message on the right, or one of them on a narrow screen. */
export function Inbox() {
  const { messages, connection, arrival } = useFeed();
  const selected = useSelected();
  const [trouble, setTrouble] = useState("");

  const clear = async () => {
    const isDone = await fetch("/api/messages", { method: "DELETE" }).then(
      ({ ok }) => ok,
      () => false,
    );
    setTrouble(isDone ? "" : "Could not clear the inbox. Is npm start still running?");
    if (isDone) location.hash = "messages";
  };

  const isEmpty = messages?.length === 0;
  return (
    <>
      <Header count={messages?.length ?? 0} connection={connection} onClear={clear} />
      <main className={`panes${selected ? " open" : ""}${isEmpty ? " bare" : ""}`}>
        <section className="list" id="messages" aria-label="Messages">
          {trouble !== "" && (
            <p role="alert" className="trouble">
              {trouble}
            </p>
          )}
          {messages !== undefined && <MessageList messages={messages} selected={selected} />}
        </section>
        <section className="detail" aria-label="Message">
          {selected ? <Detail id={selected} /> : messages !== undefined && !isEmpty && <NoSelection />}
        </section>
      </main>
      <p role="status" className="unseen">
        {arrival && announcement(arrival)}
      </p>
    </>
  );
}

/** The id of the selected message. It comes from the fragment of the URL, so reload and back keep the selection. */
function useSelected(): string | undefined {
  return useSyncExternalStore(subscribe, () => /^#(\d+)$/.exec(location.hash)?.[1]);
}

function subscribe(onChange: () => void): () => void {
  addEventListener("hashchange", onChange);
  return () => removeEventListener("hashchange", onChange);
}
