import { useEffect, useState } from "react";
import { useIsVisible } from "../../look/use-is-visible.js";
import { type Told, watchSteps } from "../api/watch-steps.js";
import { type Session, withStep } from "../login/session.js";
import type { Parts } from "./parts.js";

/** How a watch stands. `unknown`: the service does not know this login. `forbidden`: this page may verify codes, and not watch them. */
export type Watch = "connected" | "disconnected" | "unknown" | "forbidden";

/**
 * Follows the session's delivery while somebody looks: a page that nobody sees holds no connection, of which a browser has six for
 * one server. What happens is written into the session, for this tab and the others.
 */
export function useWatch({ api, sessions }: Parts, session: Session): Watch {
  const [watch, setWatch] = useState<Watch>("connected");
  const isVisible = useIsVisible();
  const { id, token } = session;
  const isToFollow = isVisible && session.steps.at(-1)?.final !== true;

  useEffect(() => {
    if (!isToFollow) return;
    const gone = new AbortController();
    const follow = async () => {
      const after = sessions.get(id)?.steps.at(-1)?.sequence ?? 0;
      for await (const told of watchSteps(api.client, token, after, gone.signal)) {
        setWatch(watchOf(told));
        if (told.kind === "step") sessions.change(id, token, (known) => withStep(known, told.step));
      }
    };
    void follow();
    return () => {
      gone.abort();
      setWatch("connected");
    };
  }, [api, sessions, id, token, isToFollow]);
  return watch;
}

function watchOf(told: Told): Watch {
  switch (told.kind) {
    case "step":
      return "connected";
    case "disconnected":
      return "disconnected";
    case "refused":
      return told.refusal.reason === "UNAUTHENTICATED" ? "forbidden" : "unknown";
  }
}
