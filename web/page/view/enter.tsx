import { useEffect, useRef } from "react";
import { goToStart } from "../login/place.js";
import type { Session } from "../login/session.js";
import { useWords } from "../words/language.js";
import { CodeForm } from "./code-form.js";
import { Notice } from "./notice.js";
import type { Parts } from "./parts.js";
import { Resend } from "./resend.js";
import { Steps } from "./steps.js";
import { useTitle } from "./use-title.js";
import type { Watch } from "./use-watch.js";

/** Shows the delivery of the code and takes the code. */
export function Enter({
  parts,
  session,
  watch,
}: {
  readonly parts: Parts;
  readonly session: Session;
  readonly watch: Watch;
}) {
  const words = useWords();
  useTitle(words.enter.title);
  const typed = useRef("");
  const { channel, address } = session.recipient;
  const { settings } = parts;
  const status = session.steps.at(-1)?.status;
  const isDead = status === "EXPIRED" || watch === "unknown";
  const needsResend = isDead || status === "FAILED" || session.wrongAttempts >= settings.maxAttempts;
  const isResending = session.resend !== undefined;
  useEffect(() => {
    if (isResending || isDead) typed.current = ""; // old input belongs to the old code
  }, [isResending, isDead]);
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (isDead && document.activeElement === document.body) title.current?.focus(); // the focused field is gone
  }, [isDead]);
  return (
    <>
      <h1 ref={title} tabIndex={-1}>
        {words.enter.title}
      </h1>
      <p className="soft" id="whereto">
        {words.enter.sentTo} <bdi className="address">{address}</bdi>
      </p>
      {!isDead && <CodeForm key={session.token} parts={parts} session={session} typed={typed} isMain={!needsResend} />}
      {watch === "unknown" && (
        <Notice
          said={words.refused.INVALID_REQUEST({ call: "watch", channel, digits: 0, wait: undefined, isSpent: false })}
        />
      )}
      {watch !== "forbidden" && <Steps session={session} isConnected={watch !== "disconnected"} />}
      <Resend parts={parts} session={session} isMain={needsResend} />
      <p className="soft">
        <button type="button" className="plain" onClick={goToStart}>
          {words.enter.otherAddress}
        </button>
      </p>
    </>
  );
}
