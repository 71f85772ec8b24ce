import type { Status, Step } from "../api/watch-steps.js";
import type { Session } from "../login/session.js";
import { useWords } from "../words/language.js";
import { clockText, dayAndClockText } from "../words/time.js";

/** The statuses of a delivery that succeeds. */
const SUCCESS: readonly Status[] = ["QUEUED", "PROCESSING", "SENT", "DELIVERED", "VERIFIED"];

type State = "done" | "current" | "ahead" | "unreported";

interface Line {
  readonly status: Status;
  readonly state: State;
  readonly step: Step | undefined;
}

/** The progress of the delivery as steps, and as a sentence that screen readers announce when it changes. */
export function Steps({ session, isConnected }: { readonly session: Session; readonly isConnected: boolean }) {
  const words = useWords();
  const latest = session.steps.at(-1);
  const status = session.isVerified ? "VERIFIED" : (latest?.status ?? "QUEUED");
  const expiresAt = latest?.final === true || session.isVerified ? undefined : latest?.expiresAt;
  return (
    <section className="steps" aria-label={words.steps.title}>
      <ol>
        {linesOf(session).map(({ status, state, step }) => (
          <li
            key={status}
            className={`${state} ${status.toLowerCase()}`}
            aria-current={state === "current" ? "step" : undefined}
          >
            <span>
              {words.steps.name[status]}
              <span className="unseen">, {words.steps.state[state]}</span>
            </span>
            {step !== undefined && (
              <time dateTime={new Date(step.at).toISOString()}>{clockText(step.at, words.locale, true)}</time>
            )}
            {state === "unreported" && <small aria-hidden="true">{words.steps.state.unreported}</small>}
          </li>
        ))}
      </ol>
      <p className="soft" role="status">
        {isConnected
          ? [
              words.steps.sentence[status][session.recipient.channel],
              expiresAt !== undefined && words.steps.validUntil(dayAndClockText(expiresAt, words.locale)),
            ]
              .filter(Boolean)
              .join(" ")
          : words.enter.disconnected}
      </p>
    </section>
  );
}

/** A delivery that fails or expires shows the steps that it reached and then its final step. */
function linesOf({ steps, isVerified }: Session): readonly Line[] {
  const latest = steps.at(-1)?.status;
  const isLost = !isVerified && (latest === "FAILED" || latest === "EXPIRED");
  const reached = isVerified ? "VERIFIED" : isLost ? steps.at(-2)?.status : latest;
  const at = reached === undefined ? -1 : SUCCESS.indexOf(reached);
  const way = SUCCESS.map((status, index) => {
    const step = steps.find((one) => one.status === status);
    return { status, step, state: stateOf(index, at, step !== undefined) };
  });
  if (!isLost) return way;
  const end = steps.at(-1);
  return [
    ...way.slice(0, at + 1).map((line) => ({ ...line, state: line.step ? "done" : "unreported" }) as const),
    { status: latest, step: end, state: "current" },
  ];
}

function stateOf(index: number, at: number, isReported: boolean): State {
  if (index > at) return "ahead";
  if (index === at) return "current";
  return isReported ? "done" : "unreported";
}
