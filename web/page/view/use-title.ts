import { useEffect } from "react";

/** Names the tab after what is done there, which is also what a screen reader says of a page first. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Countersign`;
  }, [title]);
}
