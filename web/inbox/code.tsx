import { useRef, useState } from "react";

/** The code, with a button that copies it. */
export function Code({ code }: { readonly code: string }) {
  const shown = useRef<HTMLElement>(null);
  const [said, setSaid] = useState("");

  const copy = async () => {
    try {
      await navigator.clipboard.writeText(code);
      setSaid("Copied");
    } catch {
      // The browser has no clipboard, or does not allow its use.
      if (shown.current !== null) getSelection()?.selectAllChildren(shown.current);
      setSaid("Selected: copy it with your keyboard");
    }
  };

  return (
    <div className="code-card">
      <p>
        <span className="soft">Code</span>
        <strong ref={shown}>{code}</strong>
      </p>
      <div className="copy">
        <button type="button" className="main" onClick={copy}>
          Copy
        </button>
        <p role="status" className="soft">
          {said}
        </p>
      </div>
    </div>
  );
}
