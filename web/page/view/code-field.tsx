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
 * One field for the whole code, so that phones and password managers can fill it in. It drops everything that is not a digit, also
 * from pasted text such as `123 456` or a whole message. It has no maxlength, which would cut off pasted text first.
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
      // biome-ignore lint/a11y/noAutofocus: the field is the only thing to do here
      autoFocus
      value={props.value}
      readOnly={props.isReadOnly}
      onChange={(event) => {
        const { value } = event.target;
        // An extra digit must not replace another one and start an attempt.
        const isTooMany = props.value.length === digits && onlyDigits(value).length === digits + 1;
        if (!isTooMany) props.onChange(digitsOf(value, digits));
      }}
      onPaste={(event) => {
        const pasted = digitsOf(event.clipboardData.getData("text"), digits);
        if (pasted.length < digits || props.isReadOnly) return;
        event.preventDefault(); // a whole code replaces the content of the field
        props.onChange(pasted);
      }}
      aria-invalid={props.isWrong}
      aria-describedby={props.describedBy}
    />
  );
});

/** The code in typed or pasted text: the number of that length in a whole message, or else the first digits. */
function digitsOf(text: string, count: number): string {
  const numbers = latinDigits(text).match(/\d+/g) ?? [];
  return numbers.find(({ length }) => length === count) ?? onlyDigits(text).slice(0, count);
}

function onlyDigits(text: string): string {
  return latinDigits(text).replaceAll(/\D/g, "");
}
