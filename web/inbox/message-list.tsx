import { useEffect, useRef } from "react";
import type { Summary } from "../../dev/inbox/message.js";
import { NoMessages } from "./hints.js";
import { isShown } from "./is-shown.js";
import { channelName, fullTime, shortTime, titleOf } from "./words.js";

interface Props {
  readonly messages: readonly Summary[];
  readonly selected: string | undefined;
}

export function MessageList({ messages, selected }: Props) {
  const list = useRef<HTMLUListElement>(null);
  const last = useRef(selected);
  useEffect(() => {
    // On a narrow screen, "All messages" returns the focus to the message that was open.
    if (selected === undefined && last.current !== undefined && !hasVisibleFocus()) {
      list.current?.querySelector<HTMLElement>(`a[href="#${CSS.escape(last.current)}"]`)?.focus();
    }
    last.current = selected;
  }, [selected]);

  if (messages.length === 0) return <NoMessages />;
  return (
    <ul ref={list} className="messages">
      {messages.map((message) => (
        <Row key={message.id} message={message} isSelected={message.id === selected} />
      ))}
    </ul>
  );
}

/** Whether the focused element is visible. */
function hasVisibleFocus(): boolean {
  const { activeElement } = document;
  return activeElement !== null && activeElement !== document.body && isShown(activeElement);
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
        // Without it, the Tab key would go through all older messages before it reaches this one.
        <button type="button" className="skip" onClick={() => document.getElementById("message")?.focus()}>
          Go to the message
        </button>
      )}
    </li>
  );
}
