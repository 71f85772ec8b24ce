/** A step as server-sent events carry it. */
export interface SeenStep {
  readonly status: string;
  readonly sequence: number;
  readonly final: boolean;
  readonly message: string;
}

/** Reads the steps of a delivery over `GET /otp/watch` until the stream ends. */
export async function* watchSteps(http: string, token: string, lastEventId?: number): AsyncGenerator<SeenStep> {
  const headers = lastEventId === undefined ? {} : { "Last-Event-ID": String(lastEventId) };
  const answer = await fetch(`${http}/otp/watch?token=${token}`, { headers });
  if (answer.status === 204) return;
  if (answer.status !== 200 || answer.body === null) throw new Error(`watch: ${answer.status} ${await answer.text()}`);
  let unread = "";
  for await (const chunk of answer.body.pipeThrough(new TextDecoderStream())) {
    unread += chunk;
    for (let end = unread.indexOf("\n\n"); end >= 0; end = unread.indexOf("\n\n")) {
      const data = /^data: (.*)$/m.exec(unread.slice(0, end))?.[1];
      unread = unread.slice(end + 2);
      if (data !== undefined) yield read(data);
    }
  }
}

/** Watches until the final status. @returns every status in order, without the prefix `DELIVERY_STATUS_` */
export async function statusesOf(http: string, token: string, lastEventId?: number): Promise<string[]> {
  const statuses: string[] = [];
  for await (const { status } of watchSteps(http, token, lastEventId)) statuses.push(status);
  return statuses;
}

function read(data: string): SeenStep {
  const { status, sequence, final = false, message } = JSON.parse(data);
  return { status: String(status).replace("DELIVERY_STATUS_", ""), sequence, final, message };
}
