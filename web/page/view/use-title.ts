import { useEffect } from "react";

/** Sets the title of the tab, which a screen reader announces first. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Countersign`;
  }, [title]);
}
