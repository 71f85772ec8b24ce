import { ServerInterceptingCall, type ServerInterceptor, status } from "@grpc/grpc-js";

/** Reflection is open to strangers and its answers are queued, read or not: this bounds what of them we keep. */
const MOST_STREAMS = 20;
const MOST_QUESTIONS = 100;
const LONGEST_MS = 30_000;

export function isReflection({ path }: { readonly path: string }): boolean {
  return path.startsWith("/grpc.reflection.");
}

/** Ends a reflection stream that asks too much or lasts too long, and takes no more than so many at once. */
export function guardReflection(): ServerInterceptor {
  let open = 0;
  return (_method, call) => {
    open++;
    let isOver = false;
    let questions = 0;
    const end = () => {
      clearTimeout(timer);
      if (!isOver) open--;
      isOver = true;
    };
    const refuse = () => {
      if (isOver) return;
      call.sendStatus({ code: status.RESOURCE_EXHAUSTED, details: "too much reflection" });
      end();
    };
    const timer = setTimeout(refuse, LONGEST_MS);
    return new ServerInterceptingCall(call, {
      start: (next) => {
        next({
          onReceiveMessage: (message, passOn) => {
            if (isOver) return;
            questions++;
            if (questions > MOST_QUESTIONS) refuse();
            else passOn(message);
          },
          onCancel: end,
        });
        if (open > MOST_STREAMS) refuse();
      },
      sendMessage: (message, passOn) => {
        if (!isOver) passOn(message);
      },
      sendStatus: (answer, passOn) => {
        if (!isOver) passOn(answer);
        end();
      },
    });
  };
}
