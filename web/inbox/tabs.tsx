import { type KeyboardEvent, type ReactNode, useId, useRef, useState } from "react";

export interface Tab {
  readonly name: string;
  readonly content: ReactNode;
}

/** Tabs as the ARIA Authoring Practices describe them: one stop for the Tab key, arrow keys between them. */
export function Tabs({ label, tabs }: { readonly label: string; readonly tabs: readonly Tab[] }) {
  const [chosen, setChosen] = useState(0);
  const list = useRef<HTMLDivElement>(null);
  const id = useId();

  const move = (event: KeyboardEvent) => {
    const next = target(event.key, chosen, tabs.length);
    if (next === undefined) return;
    event.preventDefault();
    setChosen(next);
    list.current?.querySelectorAll("button").item(next).focus();
  };

  return (
    <div className="parts">
      <div ref={list} role="tablist" aria-label={label} onKeyDown={move}>
        {tabs.map(({ name }, index) => (
          <button
            key={name}
            type="button"
            role="tab"
            id={`${id}${name}`}
            aria-selected={index === chosen}
            aria-controls={`${id}panel`}
            tabIndex={index === chosen ? 0 : -1}
            onClick={() => setChosen(index)}
          >
            {name}
          </button>
        ))}
      </div>
      <div
        role="tabpanel"
        className="part"
        id={`${id}panel`}
        aria-labelledby={`${id}${tabs[chosen]?.name}`}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a panel that contains nothing focusable must be focusable itself (ARIA APG)
        tabIndex={0}
      >
        {tabs[chosen]?.content}
      </div>
    </div>
  );
}

function target(key: string, chosen: number, count: number): number | undefined {
  if (key === "ArrowRight") return (chosen + 1) % count;
  if (key === "ArrowLeft") return (chosen + count - 1) % count;
  if (key === "Home") return 0;
  if (key === "End") return count - 1;
  return undefined;
}
