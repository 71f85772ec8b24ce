import { useCallback, useSyncExternalStore } from "react";
import { Mark } from "../../look/mark.js";
import { usePlace } from "../login/place.js";
import type { Session } from "../login/session.js";
import type { Sessions } from "../login/sessions.js";
import { LanguageSwitch, useWords } from "../words/language.js";
import { Ask } from "./ask.js";
import { Enter } from "./enter.js";
import type { Parts } from "./parts.js";
import { useWatch } from "./use-watch.js";
import { Verified } from "./verified.js";

/** Shows the first form, or the login that the URL names. */
export function App({ parts }: { readonly parts: Parts }) {
  const place = usePlace();
  const session = useSession(parts.sessions, place);
  return (
    <>
      <header className="brand">
        <Mark />
        Countersign
      </header>
      <main className="card">{view(parts, place, session)}</main>
      <footer>
        <LanguageSwitch />
      </footer>
    </>
  );
}

function view(parts: Parts, place: string | undefined, session: Session | undefined) {
  if (place === undefined) return <Ask parts={parts} />;
  if (session === undefined) return <Gone parts={parts} />;
  return <Login key={session.id} parts={parts} session={session} />;
}

/** Follows a login until its final step, whichever view shows it. */
function Login({ parts, session }: { readonly parts: Parts; readonly session: Session }) {
  const watch = useWatch(parts, session);
  return session.isVerified ? <Verified session={session} /> : <Enter parts={parts} session={session} watch={watch} />;
}

function Gone({ parts }: { readonly parts: Parts }) {
  return <Ask parts={parts} notice={useWords().gone} />;
}

function useSession(sessions: Sessions, id: string | undefined): Session | undefined {
  const subscribe = useCallback((listener: () => void) => sessions.subscribe(listener), [sessions]);
  return useSyncExternalStore(subscribe, () => (id === undefined ? undefined : sessions.get(id)));
}
