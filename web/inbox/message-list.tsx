import { useEffect, useRef } from "react";
import type { Summary } from "../../dev/inbox/message.js";
import { Empty } from "./hints.js";
import { channelName, fullTime, shortTime, titleOf } from "./words.js";

interface Props {
  readonly messages: readonly Summary[];
  readonly selected: string | undefined;
}

export function MessageList({ messages, selected }: Props) {
  const list = useRef<HTMLUListElement>(null);
  const last = useRef(selected);
  useEffect(() => {
    // On a narrow screen the way back leads to where one was.
    if (selected === undefined && last.current !== undefined && !isElsewhere()) {
      list.current?.querySelector<HTMLElement>(`a[href="#${CSS.escape(last.current)}"]`)?.focus();
    }
    last.current = selected;
  }, [selected]);

  if (messages.length === 0) return <Empty />;
  return (
    <ul ref={list} className="messages">
      {messages.map((message) => (
        <Row key={message.id} message={message} isSelected={message.id === selected} />
      ))}
    </ul>
  );
}

/** Whether the focus is on something that is still to be seen. */
function isElsewhere(): boolean {
  const { activeElement } = document;
  return activeElement !== null && activeElement !== document.body && activeElement.checkVisibility();
}

function Row({ message, isSelected }: { readonly message: Summary; readonly isSelected: boolean }) {
  return (
    <li>
      <a href={`#${message.id}`} aria-current={isSelected ? "true" : undefined}>
        <span className="top">
          <span className={`channel ${message.channel}`}>{channelName(message)}</span>
          <span className="to">{message.to.join(", ")}</span>
          <time className="soft" dateTime={message.at} title={fullTime(message.at)}>
            {shortTime(message.at)}
          </time>
        </span>
        <span className="bottom">
          <span className="title">{titleOf(message)}</span>
          {message.code !== undefined && <span className="code">{message.code}</span>}
        </span>
      </a>
      {isSelected && (
        // Otherwise the Tab key leads to the message through all that came before it.
        <button type="button" className="skip" onClick={() => document.getElementById("message")?.focus()}>
          Go to the message
        </button>
      )}
    </li>
  );
}
