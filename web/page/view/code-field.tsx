import { forwardRef } from "react";
import { latinDigits } from "../login/recipient.js";

interface CodeFieldProps {
  readonly id: string;
  readonly digits: number;
  readonly value: string;
  readonly isReadOnly: boolean;
  readonly isWrong: boolean;
  readonly describedBy: string;
  readonly onChange: (code: string) => void;
}

/**
 * One field for the whole code, so that phones and password managers can fill it in. What is not a digit is dropped, from what is
 * pasted too: `123 456`, or a message with the code in it. No maxlength, which would cut that before it is read.
 */
export const CodeField = forwardRef<HTMLInputElement, CodeFieldProps>(function CodeField(props, ref) {
  const { digits } = props;
  return (
    <input
      ref={ref}
      id={props.id}
      className="code"
      name="code"
      type="text"
      inputMode="numeric"
      autoComplete="one-time-code"
      autoCapitalize="none"
      autoCorrect="off"
      spellCheck={false}
      dir="ltr"
      placeholder={"·".repeat(digits)}
      // biome-ignore lint/a11y/noAutofocus: it is the one thing to do here
      autoFocus
      value={props.value}
      readOnly={props.isReadOnly}
      onChange={(event) => props.onChange(digitsOf(event.target.value, digits))}
      aria-invalid={props.isWrong}
      aria-describedby={props.describedBy}
    />
  );
});

/** The code in what was typed or pasted: of a whole message the one number of that length, else whatever digits there are. */
function digitsOf(text: string, count: number): string {
  const latin = latinDigits(text);
  const alone = new RegExp(`(?<!\\d)\\d{${count}}(?!\\d)`).exec(latin);
  return alone?.[0] ?? latin.replaceAll(/\D/g, "").slice(0, count);
}
