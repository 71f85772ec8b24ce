import { useEffect, useState } from "react";
import type { Message } from "../../../dev/inbox/message.js";

export type Reading = { readonly state: "read"; readonly message: Message } | { readonly state: "gone" | "failed" };

/** Reads the whole message. @returns undefined until it is loaded */
export function useMessage(id: string): Reading | undefined {
  const [reading, setReading] = useState<{ id: string; is: Reading }>();
  useEffect(() => {
    const closing = new AbortController();
    read(id, closing.signal).then(
      (is) => setReading({ id, is }),
      () => closing.signal.aborted || setReading({ id, is: { state: "failed" } }),
    );
    return () => closing.abort();
  }, [id]);
  return reading?.id === id ? reading.is : undefined;
}

async function read(id: string, signal: AbortSignal): Promise<Reading> {
  const response = await fetch(`/api/messages/${encodeURIComponent(id)}`, { signal });
  if (response.ok) return { state: "read", message: await response.json() };
  return { state: response.status === 404 ? "gone" : "failed" };
}
