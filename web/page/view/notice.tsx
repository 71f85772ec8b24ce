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
