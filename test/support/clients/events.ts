/** Reads server-sent events, once their connection is open: the lines of each, without comments and what else is no event. */
export async function readEvents(url: string, init: RequestInit = {}): Promise<AsyncGenerator<string>> {
  const { status, body } = await fetch(url, init);
  if (status !== 200 || body === null) throw new Error(`${url} answers ${status}`);
  // Taken up at once: fetch ends a stream that nobody reads yet when the Response it came with is collected.
  return split(body.pipeThrough(new TextDecoderStream()));
}

async function* split(text: ReadableStream<string>): AsyncGenerator<string> {
  let unread = "";
  for await (const chunk of text) {
    unread += chunk;
    for (let end = unread.indexOf("\n\n"); end >= 0; end = unread.indexOf("\n\n")) {
      const event = unread.slice(0, end);
      unread = unread.slice(end + 2);
      if (/^data:/m.test(event)) yield event;
    }
  }
}
