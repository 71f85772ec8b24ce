import { type FormEvent, useEffect, useRef, useState } from "react";
import type { Recipient } from "../api/otp-api.js";
import { isAboutInput, isInDoubt, type Refusal } from "../api/refusal.js";
import { keepDraft, readDraft } from "../login/draft.js";
import { goTo } from "../login/place.js";
import { recipientOf } from "../login/recipient.js";
import { newRequest, newSession, type PendingRequest, randomId } from "../login/session.js";
import type { Channel } from "../settings.js";
import { useWords } from "../words/language.js";
import { Notice, Refused } from "./notice.js";
import type { Parts } from "./parts.js";
import { useTitle } from "./use-title.js";

type Asking =
  | { readonly is: "idle" | "sending" }
  | { readonly is: "refused"; readonly refusal: Refusal; readonly recipient: Recipient };

/** The first form: it takes an address and asks for a code. */
export function Ask({ parts, notice }: { readonly parts: Parts; readonly notice?: string }) {
  const { api, sessions, settings } = parts;
  const words = useWords();
  useTitle(words.ask.title);
  const draft = useRef(readDraft());
  const [text, setText] = useState(draft.current.text);
  const [asking, setAsking] = useState<Asking>({ is: "idle" });
  const input = useRef<HTMLInputElement>(null);
  const isMounted = useRef(true);
  const kind = kindOf(settings.channels);

  const keep = (pending: PendingRequest | undefined) => {
    draft.current = { text, pending };
    keepDraft(draft.current);
  };

  const ask = async () => {
    const recipient = recipientOf(text, settings.channels);
    if (recipient.address === "")
      return refuse({ reason: "INVALID_REQUEST", fields: [], retryAt: undefined }, recipient);
    // The service may have executed a request that got no response, so the request is repeated with the same key.
    const pending = (draft.current.text === text && draft.current.pending) || newRequest(words.locale);
    keep(pending);
    setAsking({ is: "sending" });
    const answer = await api.generate(recipient, pending.locale, pending.key);
    if (answer.outcome === "accepted") {
      const session = newSession(randomId(), recipient, answer);
      sessions.put(session);
      // A person who has left this form stays where they are. The draft remains in its history entry, and going back resumes it.
      if (!isMounted.current) return;
      keep(undefined);
      goTo(session.id);
    } else if (isMounted.current) {
      if (!isInDoubt(answer.refusal)) keep(undefined);
      refuse(answer.refusal, recipient);
    }
  };

  const refuse = (refusal: Refusal, recipient: Recipient) => {
    setAsking({ is: "refused", refusal, recipient });
    input.current?.focus();
  };

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (asking.is !== "sending") void ask();
  };

  const resume = useRef(ask);
  useEffect(() => {
    isMounted.current = true;
    if (draft.current.pending !== undefined) void resume.current(); // the page was left or reloaded before the response
    return () => {
      isMounted.current = false;
    };
  }, []);

  const change = (next: string) => {
    setText(next);
    setAsking({ is: "idle" });
    keepDraft(next === draft.current.text ? draft.current : { text: next, pending: undefined });
  };

  const known = asking.is === "refused" ? sessions.openFor(asking.recipient) : undefined;
  return (
    <form onSubmit={submit} noValidate>
      <h1>{words.ask.title}</h1>
      <p className="soft">{words.ask.lead}</p>
      {notice !== undefined && asking.is === "idle" && <Notice said={notice} />}
      <div className="field">
        <label htmlFor="address">{words.ask.label[kind]}</label>
        <input
          id="address"
          ref={input}
          name="address"
          type="text"
          inputMode={kind === "sms" ? "tel" : "email"}
          autoComplete={{ email: "email", sms: "tel", either: "username" }[kind]}
          autoCapitalize="none"
          autoCorrect="off"
          spellCheck={false}
          dir="ltr"
          // biome-ignore lint/a11y/noAutofocus: the field is the only thing to do here
          autoFocus
          value={text}
          readOnly={asking.is === "sending"}
          onChange={(event) => change(event.target.value)}
          aria-invalid={asking.is === "refused" && isAboutInput(asking.refusal)}
          aria-describedby={asking.is === "refused" ? "refused" : "hint"}
        />
        <p className="soft" id="hint">
          {words.ask.hint[kind]}
        </p>
      </div>
      {asking.is === "refused" && (
        <Refused
          key={asking.refusal.retryAt}
          id="refused"
          refusal={asking.refusal}
          about={{ call: "generate", channel: asking.recipient.channel, digits: settings.codeLength, isSpent: false }}
        />
      )}
      {known !== undefined && (
        <a className="onward" href={`#${known.id}`}>
          {words.ask.haveCode}
        </a>
      )}
      <button type="submit" className="main" aria-disabled={asking.is === "sending"}>
        {asking.is === "sending" ? words.ask.sending : words.ask.send}
      </button>
      <span role="status" className="unseen">
        {asking.is === "sending" && words.ask.sending}
      </span>
    </form>
  );
}

function kindOf([first, second]: readonly Channel[]): Channel | "either" {
  return first === undefined || second !== undefined ? "either" : first;
}
