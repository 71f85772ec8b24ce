import { useState } from "react";
import type { Refusal } from "../api/refusal.js";
import { useWords } from "../words/language.js";
import { spanText } from "../words/time.js";
import type { About } from "../words/words.js";
import { useNow } from "./use-now.js";

/**
 * Something that a person has to know now. Where it changes by the second, a screen reader is not to say it again each time.
 *
 * @param said what a screen reader says, once
 * @param shown what is seen; the same unless it is told otherwise
 */
export function Notice({
  id,
  said,
  shown = said,
}: {
  readonly id?: string;
  readonly said: string;
  readonly shown?: string;
}) {
  return (
    <p className="notice" id={id}>
      <span role="alert" className="unseen">
        {said}
      </span>
      <span aria-hidden="true">{shown}</span>
    </p>
  );
}

/** Why a call did not succeed, and what to do now; a wait is counted down. Give it the refusal for its key, too. */
export function Refused(props: {
  readonly id: string;
  readonly refusal: Refusal;
  readonly about: Omit<About, "wait">;
  /** Said behind it. */
  readonly more?: string | undefined;
}) {
  const { id, refusal, about, more } = props;
  const words = useWords();
  const [begunAt] = useState(Date.now);
  const waitUntil = refusal.retryAt ?? 0;
  const now = useNow(waitUntil);

  const sentence = (at: number) => {
    const wait = waitUntil > at ? spanText(waitUntil - at, words.locale) : undefined;
    const why = words.refused[refusal.reason]({ ...about, wait });
    return more === undefined ? why : `${why} ${more}`;
  };
  return <Notice id={id} said={sentence(begunAt)} shown={sentence(now)} />;
}
