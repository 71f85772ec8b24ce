/** Reads server-sent events, once their connection is open: the lines of each, without comments and what else is no event. */
export async function readEvents(url: string, init: RequestInit = {}): Promise<AsyncGenerator<string>> {
  const { status, body } = await fetch(url, init);
  if (status !== 200 || body === null) throw new Error(`${url} answers ${status}`);
  return split(body);
}

async function* split(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  let unread = "";
  for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
    unread += chunk;
    for (let end = unread.indexOf("\n\n"); end >= 0; end = unread.indexOf("\n\n")) {
      const event = unread.slice(0, end);
      unread = unread.slice(end + 2);
      if (/^data:/m.test(event)) yield event;
    }
  }
}
