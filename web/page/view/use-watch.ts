import { useEffect, useState } from "react";
import { useIsVisible } from "../../look/use-is-visible.js";
import { type WatchEvent, watchSteps } from "../api/watch-steps.js";
import { type Session, withStep } from "../login/session.js";
import type { Parts } from "./parts.js";

/** `unknown`: the service does not know this login. `forbidden`: this page may verify codes but not watch their delivery. */
export type Watch = "connected" | "disconnected" | "unknown" | "forbidden";

/**
 * Follows the session's delivery while the page is visible: a browser opens six connections to one server, and a hidden page uses
 * none of them. The steps are stored in the session, for this tab and the others.
 */
export function useWatch({ api, sessions }: Parts, session: Session): Watch {
  const [watch, setWatch] = useState<Watch>("connected");
  const isVisible = useIsVisible();
  const { id, token, watchToken = token } = session;
  const shouldFollow = isVisible && session.steps.at(-1)?.final !== true;

  useEffect(() => {
    if (!shouldFollow) return;
    const gone = new AbortController();
    const follow = async () => {
      const after = sessions.get(id)?.steps.at(-1)?.sequence ?? 0;
      for await (const event of watchSteps(api.client, watchToken, after, gone.signal)) {
        setWatch(watchOf(event));
        if (event.kind === "step") sessions.change(id, token, (known) => withStep(known, event.step));
      }
    };
    void follow();
    return () => {
      gone.abort();
      setWatch("connected");
    };
  }, [api, sessions, id, token, watchToken, shouldFollow]);
  return watch;
}

function watchOf(event: WatchEvent): Watch {
  switch (event.kind) {
    case "step":
      return "connected";
    case "disconnected":
      return "disconnected";
    case "refused":
      return event.refusal.reason === "UNAUTHENTICATED" ? "forbidden" : "unknown";
  }
}
