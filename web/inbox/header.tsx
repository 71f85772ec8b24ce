import { Mark } from "../look/mark.js";
import type { Connection } from "./state/use-feed.js";

const WORDS: Readonly<Record<Connection, string>> = {
  connecting: "Connecting…",
  live: "Live",
  lost: "Connection lost. Reconnecting…",
};

interface Props {
  readonly count: number;
  readonly connection: Connection;
  readonly onClear: () => void;
}

export function Header({ count, connection, onClear }: Props) {
  return (
    <header>
      <Mark />
      <h1>Inbox</h1>
      <p role="status" className={`connection ${connection}`}>
        {WORDS[connection]}
      </p>
      {/* The button stays when there is nothing to clear: the focus would be lost if it disappeared. */}
      <button type="button" aria-disabled={count === 0} onClick={() => count > 0 && onClear()}>
        Clear
      </button>
    </header>
  );
}
