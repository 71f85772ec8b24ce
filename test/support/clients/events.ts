/** Opens a stream of server-sent events. @returns the lines of each event, without comments and without blocks that have no data */
export async function readEvents(url: string, init: RequestInit = {}): Promise<AsyncGenerator<string>> {
  const { status, body } = await fetch(url, init);
  if (status !== 200 || body === null) throw new Error(`${url} answers ${status}`);
  // Piped at once: fetch ends a stream that has no reader when its Response is garbage-collected.
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
