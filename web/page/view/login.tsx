import type { Session } from "../login/session.js";
import { Enter } from "./enter.js";
import type { Parts } from "./parts.js";
import { useWatch } from "./use-watch.js";
import { Verified } from "./verified.js";

/** A login, which is followed to its last step, whatever is shown of it meanwhile. */
export function Login({ parts, session }: { readonly parts: Parts; readonly session: Session }) {
  const watch = useWatch(parts, session);
  return session.isVerified ? <Verified session={session} /> : <Enter parts={parts} session={session} watch={watch} />;
}
