import { useEffect, useRef } from "react";
import type { Message } from "../../dev/inbox/message.js";
import { Code } from "./code.js";
import { isShown } from "./is-shown.js";
import { useMessage } from "./state/use-message.js";
import { type Tab, Tabs } from "./tabs.js";
import { fullTime, titleOf } from "./words.js";

export function Detail({ id }: { readonly id: string }) {
  const reading = useMessage(id);
  return (
    <>
      <a className="back" href="#messages">
        All messages
      </a>
      {reading?.state === "read" && <FullMessage key={id} message={reading.message} />}
      {reading?.state === "gone" && <p className="hint">This message is gone: the inbox was cleared or restarted.</p>}
      {reading?.state === "failed" && <p className="hint">Could not read this message. Is npm start still running?</p>}
    </>
  );
}

function FullMessage({ message }: { readonly message: Message }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    // On a narrow screen the list disappears, and with it the link that had the focus.
    const list = document.getElementById("messages");
    if (list === null || !isShown(list)) heading.current?.focus();
  }, []);

  return (
    <article>
      <h2 ref={heading} id="message" tabIndex={-1}>
        {message.channel === "email" ? titleOf(message) : "SMS"}
      </h2>
      <dl>
        {message.from !== undefined && (
          <div>
            <dt>From</dt>
            <dd>{message.from}</dd>
          </div>
        )}
        <div>
          <dt>To</dt>
          <dd>{message.to.join(", ")}</dd>
        </div>
        <div>
          <dt>Time</dt>
          <dd>
            <time dateTime={message.at}>{fullTime(message.at)}</time>
          </dd>
        </div>
      </dl>
      {message.code !== undefined && <Code code={message.code} />}
      <Parts message={message} />
    </article>
  );
}

/** The parts of a message: its HTML in a frame with an empty sandbox, its text, and its source. */
function Parts({ message }: { readonly message: Message }) {
  const text: Tab = { name: "Text", content: <pre>{message.text}</pre> };
  const tabs = [html(message), text, source(message)].filter((tab) => tab !== undefined);
  if (tabs.length === 1) return <div className="part">{text.content}</div>;
  return <Tabs label="Parts of the message" tabs={tabs} />;
}

function html({ id, html }: Message): Tab | undefined {
  if (html === undefined) return undefined;
  // The response has the same restrictions in its policy, which also apply when the URL is opened on its own.
  return { name: "HTML", content: <iframe sandbox="" src={`/api/messages/${id}/html`} title="The mail as HTML" /> };
}

function source({ source }: Message): Tab | undefined {
  if (source === undefined) return undefined;
  return { name: "Source", content: <pre className="source">{source}</pre> };
}
