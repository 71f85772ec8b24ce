import { useEffect, useRef } from "react";
import { goToStart } from "../login/place.js";
import type { Session } from "../login/session.js";
import { useWords } from "../words/language.js";
import { Steps } from "./steps.js";
import { useTitle } from "./use-title.js";

/** The last view of a login. */
export function Verified({ session }: { readonly session: Session }) {
  const words = useWords();
  useTitle(words.verified.title);
  const title = useRef<HTMLHeadingElement>(null);
  useEffect(() => title.current?.focus(), []); // the focused field is gone
  return (
    <>
      <svg className="check" viewBox="0 0 48 48" aria-hidden="true">
        <circle cx="24" cy="24" r="24" />
        <path d="M14 24.5l7 7L34.5 17" />
      </svg>
      <h1 ref={title} tabIndex={-1}>
        {words.verified.title}
      </h1>
      <p className="soft">
        {words.verified.lead} <bdi className="address">{session.recipient.address}</bdi>
      </p>
      <Steps session={session} isConnected />
      <button type="button" onClick={goToStart}>
        {words.verified.again}
      </button>
    </>
  );
}
