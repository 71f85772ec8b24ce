import { useEffect, useRef } from "react";
import type { Message } from "../../dev/inbox/message.js";
import { Code } from "./code.js";
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
      {reading?.state === "read" && <Whole key={id} message={reading.message} />}
      {reading?.state === "gone" && <p className="hint">This message is gone: the inbox was cleared or restarted.</p>}
      {reading?.state === "failed" && (
        <p className="hint">This message could not be read. Is npm start still running?</p>
      )}
    </>
  );
}

function Whole({ message }: { readonly message: Message }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    // On a narrow screen the list has gone out of sight with the link that was followed, and the focus with it.
    if (!document.getElementById("messages")?.checkVisibility()) heading.current?.focus();
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

/** The forms that a message has: HTML in a frame that allows it nothing, text, and the source. */
function Parts({ message }: { readonly message: Message }) {
  const text: Tab = { name: "Text", content: <pre>{message.text}</pre> };
  const tabs = [html(message), text, source(message)].filter((tab) => tab !== undefined);
  if (tabs.length === 1) return <div className="part">{text.content}</div>;
  return <Tabs label="Parts of the message" tabs={tabs} />;
}

function html({ id, html }: Message): Tab | undefined {
  if (html === undefined) return undefined;
  // The server's policy for what is inside says the same once more: this holds also when it is opened by itself.
  return { name: "HTML", content: <iframe sandbox="" src={`/api/messages/${id}/html`} title="The mail as HTML" /> };
}

function source({ source }: Message): Tab | undefined {
  if (source === undefined) return undefined;
  return { name: "Source", content: <pre className="source">{source}</pre> };
}
