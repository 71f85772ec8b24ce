import type { Message } from "../../dev/inbox/message.js";
import { type Tab, Tabs } from "./tabs.js";

/** The forms that a message has: HTML in a frame that allows it nothing, text, and the source. */
export function Parts({ message }: { readonly message: Message }) {
  const text: Tab = { name: "Text", content: <pre>{message.text}</pre> };
  const tabs = [html(message), text, source(message)].filter((tab) => tab !== undefined);
  if (tabs.length === 1) return <div className="part">{text.content}</div>;
  return <Tabs label="Parts of the message" tabs={tabs} />;
}

function html({ id, html }: Message): Tab | undefined {
  if (html === undefined) return undefined;
  // The server's policy for what is inside says the same once more: this holds also when it is opened by itself.
  return { name: "HTML", content: <iframe sandbox="" src={`/api/messages/${id}/html`} title="The mail as HTML" /> };
}

function source({ source }: Message): Tab | undefined {
  if (source === undefined) return undefined;
  return { name: "Source", content: <pre className="source">{source}</pre> };
}
