import { useEffect, useState } from "react";

/** The current time in Unix milliseconds, updated until it reaches `until`. */
export function useNow(until: number): number {
  const [now, setNow] = useState(Date.now);
  const isWaiting = now < until;
  useEffect(() => {
    setNow(Date.now());
    if (!isWaiting) return;
    const timer = setInterval(() => setNow(Date.now()), 1000 / UPDATES_PER_SECOND);
    return () => clearInterval(timer);
  }, [isWaiting]);
  return now;
}

/** More than one, so that a countdown in whole seconds changes evenly. */
const UPDATES_PER_SECOND = 4;
