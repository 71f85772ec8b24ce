import { useSyncExternalStore } from "react";

/** The id of the login in the fragment of the URL, or undefined on the first form. Reload, back and forward keep it. */
export function usePlace(): string | undefined {
  return useSyncExternalStore(subscribe, read);
}

export function goTo(id: string): void {
  location.hash = id;
}

export function goToStart(): void {
  location.hash = "";
}

/** An empty fragment leaves a "#" in the URL, which counts as no fragment. */
function read(): string | undefined {
  return location.hash.slice(1) || undefined;
}

function subscribe(listener: () => void): () => void {
  window.addEventListener("hashchange", listener);
  return () => window.removeEventListener("hashchange", listener);
}
