import { useEffect, useState } from "react";

/** The time, in Unix milliseconds, which goes on by the second until that time. */
export function useNow(until: number): number {
  const [now, setNow] = useState(Date.now);
  const isWaiting = now < until;
  useEffect(() => {
    setNow(Date.now());
    if (!isWaiting) return;
    const timer = setInterval(() => setNow(Date.now()), 1000 / TICKS);
    return () => clearInterval(timer);
  }, [isWaiting]);
  return now;
}

/** A few in each second, so that what is rounded up to seconds changes evenly. */
const TICKS = 4;
