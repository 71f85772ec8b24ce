import { forwardRef } from "react";
import { latinDigits } from "../latin-digits.js";

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
      className={digits > 8 ? "code long" : "code"}
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
      onChange={(event) => {
        const { value } = event.target;
        // One digit more than there is room for would push out another, and have that judged.
        const isTooMany = props.value.length === digits && onlyDigits(value).length === digits + 1;
        if (!isTooMany) props.onChange(digitsOf(value, digits));
      }}
      onPaste={(event) => {
        const pasted = digitsOf(event.clipboardData.getData("text"), digits);
        if (pasted.length < digits || props.isReadOnly) return;
        event.preventDefault(); // a whole code takes the place of whatever is there
        props.onChange(pasted);
      }}
      aria-invalid={props.isWrong}
      aria-describedby={props.describedBy}
    />
  );
});

/** The code in what was typed or pasted: of a whole message the one number of that length, else whatever digits there are. */
function digitsOf(text: string, count: number): string {
  const alone = new RegExp(`(?<!\\d)\\d{${count}}(?!\\d)`).exec(latinDigits(text));
  return alone?.[0] ?? onlyDigits(text).slice(0, count);
}

function onlyDigits(text: string): string {
  return latinDigits(text).replaceAll(/\D/g, "");
}
