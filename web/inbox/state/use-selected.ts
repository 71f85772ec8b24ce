import { useSyncExternalStore } from "react";

/** The id of the message that is shown, from the hash of the address: a reload and the way back keep the place. */
export function useSelected(): string | undefined {
  return useSyncExternalStore(subscribe, () => /^#(\d+)$/.exec(location.hash)?.[1]);
}

function subscribe(onChange: () => void): () => void {
  addEventListener("hashchange", onChange);
  return () => removeEventListener("hashchange", onChange);
}
