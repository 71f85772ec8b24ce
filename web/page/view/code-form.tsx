import { type FormEvent, type MutableRefObject, useEffect, useRef, useState } from "react";
import { isAboutInput, isInDoubt, type Refusal } from "../api/refusal.js";
import type { Session } from "../login/session.js";
import { useWords } from "../words/language.js";
import { CodeField } from "./code-field.js";
import { Refused } from "./notice.js";
import type { Parts } from "./parts.js";
import { useNow } from "./use-now.js";

type Checking =
  | { readonly is: "idle" | "checking" | "released" }
  | { readonly is: "refused"; readonly refusal: Refusal };

/** Takes the code and verifies it as soon as it is complete. Each token has its own instance of the form. */
export function CodeForm(props: {
  readonly parts: Parts;
  readonly session: Session;
  /** The input since the latest resend, unless its code was wrong. It outlives the form. */
  readonly typed: MutableRefObject<string>;
  /** Whether the form has the page's main button. */
  readonly isMain: boolean;
}) {
  const { parts, session, typed, isMain } = props;
  const { api, sessions, settings } = parts;
  const { codeLength, maxAttempts } = settings;
  const { id, token, recipient, wrongAttempts, lockedUntil } = session;
  const words = useWords();
  const [code, setCode] = useState(typed.current);
  const [checking, setChecking] = useState<Checking>(() => lockOf(lockedUntil));
  const field = useRef<HTMLInputElement>(null);
  const isLocked = useNow(lockedUntil) < lockedUntil;

  const verify = async (otp: string) => {
    setChecking({ is: "checking" });
    sessions.change(id, token, (known) => ({ ...known, unanswered: known.unanswered + 1 }));
    const answer = await api.verify(token, otp);
    if (answer.outcome === "correct") {
      sessions.verify(id);
      return;
    }
    const { refusal } = answer;
    setChecking({ is: "refused", refusal });
    if (!isInDoubt(refusal)) {
      sessions.change(id, token, (known) => ({ ...known, unanswered: known.unanswered - 1 }));
    }
    if (refusal.reason === "OTP_INCORRECT") {
      if (typed.current === otp) typed.current = "";
      sessions.change(id, token, (known) => ({ ...known, wrongAttempts: known.wrongAttempts + 1 }));
    }
    if (refusal.reason === "TOO_MANY_ATTEMPTS") {
      typed.current = "";
      // Waiting does not help a token without attempts: only a new code does, and the service says when that may be requested.
      sessions.change(id, token, (known) => ({
        ...known,
        lockedUntil: isSpent(known, maxAttempts) ? known.overAt : (refusal.retryAt ?? 0),
      }));
    }
    field.current?.focus();
    field.current?.select(); // the next input replaces it
  };

  // Another tab can cause a lock, which is shown here, too.
  useEffect(
    () => setChecking((now) => (isLocked ? lockOf(lockedUntil) : isLock(now) ? { is: "released" } : now)),
    [isLocked, lockedUntil],
  );

  const change = (next: string) => {
    if (next === code) return;
    setCode(next);
    typed.current = next;
    if (next.length === codeLength) void verify(next);
    else setChecking({ is: "idle" });
  };

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (checking.is === "checking" || isLocked) return;
    if (code.length === codeLength) void verify(code);
    else setChecking({ is: "refused", refusal: { reason: "INVALID_REQUEST", fields: ["otp"], retryAt: undefined } });
  };

  const attemptsLeft = Math.max(0, maxAttempts - wrongAttempts);
  const isWrong = checking.is === "refused" && checking.refusal.reason === "OTP_INCORRECT";
  return (
    <form onSubmit={submit} noValidate>
      <div className="field">
        <label htmlFor="code">{words.enter.label(codeLength)}</label>
        <CodeField
          ref={field}
          id="code"
          digits={codeLength}
          value={code}
          isReadOnly={checking.is === "checking" || isLocked}
          isWrong={checking.is === "refused" && isAboutInput(checking.refusal)}
          describedBy={checking.is === "refused" ? "refused" : "whereto"}
          onChange={change}
        />
      </div>
      {checking.is === "refused" && (
        <Refused
          key={`${checking.refusal.reason} ${wrongAttempts}`}
          id="refused"
          refusal={checking.refusal}
          about={{
            call: "verify",
            channel: recipient.channel,
            digits: codeLength,
            isSpent: isSpent(session, maxAttempts),
          }}
          more={
            isWrong
              ? attemptsLeft > 0
                ? words.enter.attemptsLeft(attemptsLeft)
                : words.enter.noAttemptsLeft
              : undefined
          }
        />
      )}
      <button
        type="submit"
        className={isMain ? "main" : undefined}
        aria-disabled={checking.is === "checking" || isLocked}
      >
        {checking.is === "checking" ? words.enter.checking : words.enter.verify}
      </button>
      <span role="status" className="unseen">
        {checking.is === "checking" && words.enter.checking}
        {checking.is === "released" && words.enter.released}
      </span>
    </form>
  );
}

/** Whether the attempts of the token are used up, as far as this browser knows. An attempt without a response may have been wrong. */
function isSpent({ wrongAttempts, unanswered }: Session, maxAttempts: number): boolean {
  return wrongAttempts + unanswered >= maxAttempts;
}

function lockOf(lockedUntil: number): Checking {
  if (lockedUntil <= Date.now()) return { is: "idle" };
  return { is: "refused", refusal: { reason: "TOO_MANY_ATTEMPTS", fields: [], retryAt: lockedUntil } };
}

function isLock(checking: Checking): boolean {
  return checking.is === "refused" && checking.refusal.reason === "TOO_MANY_ATTEMPTS";
}
