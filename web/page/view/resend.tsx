import { useEffect, useRef, useState } from "react";
import { isInDoubt, type Refusal } from "../api/refusal.js";
import { afterResend, newRequest, type PendingRequest, type Session } from "../login/session.js";
import { useWords } from "../words/language.js";
import { spanText } from "../words/time.js";
import { Refused } from "./notice.js";
import type { Parts } from "./parts.js";
import { useNow } from "./use-now.js";

/**
 * The button that sends the code again, once the server allows that. The request is stored in the session and executed from there,
 * so a reload does not lose it. Its idempotency key ensures that it is executed once.
 */
export function Resend({
  parts,
  session,
  isMain,
}: {
  readonly parts: Parts;
  readonly session: Session;
  readonly isMain: boolean;
}) {
  const { api, sessions, settings } = parts;
  const { id, token, recipient, resendAt } = session;
  const resendKey = session.resend?.key;
  const words = useWords();
  const [refusal, setRefusal] = useState<Refusal>();
  const inDoubt = useRef<PendingRequest>();
  const now = useNow(resendAt);
  const isSending = resendKey !== undefined;
  const isTooSoon = now < resendAt;

  useEffect(() => {
    // The effect reads the session itself, because the object changes with each step. A new language must not repeat the request.
    const { recipient: to, resend: pending } = sessions.get(id) ?? {};
    if (to === undefined || pending === undefined || pending.key !== resendKey) return;
    setRefusal(undefined);
    void api.generate(to, pending.locale, pending.key).then((answer) => {
      inDoubt.current = undefined;
      if (answer.outcome === "accepted") return sessions.change(id, token, (known) => afterResend(known, answer));
      if (sessions.get(id)?.token !== token) return; // another tab has sent it
      const { reason, retryAt = 0 } = answer.refusal;
      if (isInDoubt(answer.refusal)) inDoubt.current = pending;
      setRefusal(answer.refusal);
      sessions.change(id, token, (known) => ({
        ...known,
        resend: undefined,
        resendAt: reason === "RATE_LIMITED" ? retryAt : known.resendAt,
      }));
    });
  }, [api, sessions, id, token, resendKey]);

  const resend = () => {
    if (isSending || isTooSoon) return;
    const pending = inDoubt.current ?? newRequest(words.locale);
    sessions.change(id, token, (known) => (known.resend === undefined ? { ...known, resend: pending } : known));
  };

  return (
    <div className="resend">
      {refusal !== undefined && (
        <Refused
          key={refusal.retryAt}
          id="not-resent"
          refusal={refusal}
          about={{ call: "generate", channel: recipient.channel, digits: settings.codeLength, isSpent: false }}
        />
      )}
      <button
        type="button"
        className={isMain ? "main" : undefined}
        aria-disabled={isSending || isTooSoon}
        onClick={(event) => event.detail < 2 && resend()} // a double click counts once
      >
        {isSending && words.enter.resending}
        {!isSending && !isTooSoon && words.enter.resend}
        {!isSending && isTooSoon && words.enter.resendIn(spanText(resendAt - now, words.locale))}
      </button>
    </div>
  );
}
