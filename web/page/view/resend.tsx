import { useEffect, useRef, useState } from "react";
import { isInDoubt, type Refusal } from "../api/refusal.js";
import { type Asked, afterResend, newAsked, type Session } from "../login/session.js";
import { useWords } from "../words/language.js";
import { spanText } from "../words/time.js";
import { Refused } from "./notice.js";
import type { Parts } from "./parts.js";
import { useNow } from "./use-now.js";

/**
 * Has the code sent again, once the server takes it. That it was asked for is written into the session, and carried out from there,
 * so that a reload does not lose it; the idempotency key keeps it from being carried out twice.
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
  const doubtful = useRef<Asked>();
  const now = useNow(resendAt);
  const isSending = resendKey !== undefined;
  const isTooSoon = now < resendAt;

  useEffect(() => {
    // Read here, since it is another object after each change, and another language asks for nothing more.
    const { recipient: to, resend: asked } = sessions.get(id) ?? {};
    if (to === undefined || asked === undefined || asked.key !== resendKey) return;
    setRefusal(undefined);
    void api.generate(to, asked.locale, asked.key).then((answer) => {
      doubtful.current = undefined;
      if (answer.outcome === "accepted") return sessions.change(id, token, (known) => afterResend(known, answer));
      if (sessions.get(id)?.token !== token) return; // another tab has had it sent
      const { reason, retryAt = 0 } = answer.refusal;
      if (isInDoubt(answer.refusal)) doubtful.current = asked;
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
    const asked = doubtful.current ?? newAsked(words.locale);
    sessions.change(id, token, (known) => (known.resend === undefined ? { ...known, resend: asked } : known));
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
        onClick={(event) => event.detail < 2 && resend()} // a double click is one
      >
        {isSending && words.enter.resending}
        {!isSending && !isTooSoon && words.enter.resend}
        {!isSending && isTooSoon && words.enter.resendIn(spanText(resendAt - now, words.locale))}
      </button>
    </div>
  );
}
