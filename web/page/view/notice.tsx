import { useState } from "react";
import type { Refusal } from "../api/refusal.js";
import { useWords } from "../words/language.js";
import { spanText } from "../words/time.js";
import type { About } from "../words/words.js";
import { useNow } from "./use-now.js";

/**
 * An important message. Its visible text may change every second, which a screen reader must not announce each time.
 *
 * @param said what a screen reader announces once
 * @param shown the visible text, by default the same
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

/** Why a call failed and what to do now, with a countdown of the wait. Its `key` must change with each refusal. */
export function Refused(props: {
  readonly id: string;
  readonly refusal: Refusal;
  readonly about: Omit<About, "wait">;
  /** One more sentence at the end. */
  readonly more?: string | undefined;
}) {
  const { id, refusal, about, more } = props;
  const words = useWords();
  const [startedAt] = useState(Date.now);
  const waitUntil = refusal.retryAt ?? 0;
  const now = useNow(waitUntil);

  const sentence = (at: number) => {
    const wait = waitUntil > at ? spanText(waitUntil - at, words.locale) : undefined;
    const why = words.refused[refusal.reason]({ ...about, wait });
    return more === undefined ? why : `${why} ${more}`;
  };
  return <Notice id={id} said={sentence(startedAt)} shown={sentence(now)} />;
}
