import { useSyncExternalStore } from "react";

/** Where the person is: at a login, by its id in the URL's fragment, or where one begins. It is so kept by reload, back and forward. */
export function usePlace(): string | undefined {
  return useSyncExternalStore(subscribe, read);
}

export function goTo(id: string): void {
  location.hash = id;
}

export function goToStart(): void {
  location.hash = "";
}

/** The fragment is all that is looked at: setting it to nothing leaves a lone "#" behind, which is as good as none. */
function read(): string | undefined {
  return location.hash.slice(1) || undefined;
}

function subscribe(listener: () => void): () => void {
  window.addEventListener("hashchange", listener);
  return () => window.removeEventListener("hashchange", listener);
}
