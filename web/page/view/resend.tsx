import { useEffect, useRef, useState } from "react";
import { isInDoubt, type Refusal } from "../api/refusal.js";
import { afterResend, type Session } from "../login/session.js";
import { randomId } from "../random-id.js";
import { useWords } from "../words/language.js";
import { spanText } from "../words/time.js";
import type { Parts } from "./parts.js";
import { Refused } from "./refused.js";
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
  const { id, token, recipient, resendAt, resendKey } = session;
  const words = useWords();
  const [refusal, setRefusal] = useState<Refusal>();
  const doubtful = useRef<string>();
  const now = useNow(resendAt);
  const isSending = resendKey !== undefined;
  const isTooSoon = now < resendAt;

  useEffect(() => {
    if (resendKey === undefined) return;
    setRefusal(undefined);
    void api.generate(recipient, words.locale, resendKey).then((answer) => {
      if (answer.outcome === "accepted") return sessions.change(id, token, (known) => afterResend(known, answer));
      const { reason, retryAt = 0 } = answer.refusal;
      doubtful.current = isInDoubt(answer.refusal) ? resendKey : undefined;
      setRefusal(answer.refusal);
      sessions.change(id, token, (known) => ({
        ...known,
        resendKey: undefined,
        resendAt: reason === "RATE_LIMITED" ? retryAt : known.resendAt,
      }));
    });
  }, [api, sessions, id, token, recipient, resendKey, words.locale]);

  const resend = () => {
    if (isSending || isTooSoon) return;
    sessions.change(id, token, (known) => ({ ...known, resendKey: doubtful.current ?? randomId() }));
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
        onClick={resend}
      >
        {isSending && words.enter.resending}
        {!isSending && !isTooSoon && words.enter.resend}
        {!isSending && isTooSoon && words.enter.resendIn(spanText(resendAt - now, words.locale))}
      </button>
    </div>
  );
}
