import { useEffect, useRef } from "react";
import type { Message } from "../../dev/inbox/message.js";
import { Code } from "./code.js";
import { Parts } from "./parts.js";
import { useMessage } from "./state/use-message.js";
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
