import { stemOf, type VariantName } from "../src/delivery/templates/file-name.js";
import { segmentsOf } from "../src/delivery/templates/segments.js";
import type { SmsData } from "../src/delivery/templates/sms-template.js";
import type { Templates } from "../src/delivery/templates/templates.js";
import { DEFAULT_PURPOSE } from "../src/otp/caller/fields.js";

const STYLE = `
  :root { color-scheme: light dark; }
  body { margin: 2rem auto; max-width: 75rem; padding: 0 1rem; font: 16px/1.5 system-ui, sans-serif; }
  section { margin: 2rem 0; padding-top: 1rem; border-top: 1px solid #8886; display: grid; gap: 1rem 2rem; }
  section { grid-template: auto auto 1fr / repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); }
  .html { grid-row: span 2; }
  h2 { grid-column: 1 / -1; margin: 0; font: 600 18px/1.5 ui-monospace, monospace; }
  h3 { margin: 1rem 0 .25rem; font-size: 13px; font-weight: 600; opacity: .7; }
  h3:first-child { margin-top: 0; }
  p { margin: 0; }
  iframe { width: 100%; height: 27rem; border: 1px solid #8886; border-radius: 8px; }
  pre { margin: 0; padding: .75rem 1rem; white-space: pre-wrap; overflow-wrap: anywhere; font-size: 14px; line-height: 1.5; }
  pre { border: 1px solid #8886; border-radius: 8px; }
`;

/** Shows every template, filled in, on one HTML page that needs no other file. */
export function previewPage(templates: Templates, data: Omit<SmsData, "purpose">): string {
  const sections = new Map<string, string>();
  const add = (variant: VariantName, html: string) => {
    const stem = stemOf(variant);
    sections.set(stem, (sections.get(stem) ?? "") + html);
  };
  const of = ({ purpose }: VariantName) => ({ ...data, purpose: purpose || DEFAULT_PURPOSE });

  for (const mail of templates.mailTemplates) {
    const { subject, text, html } = mail.render(of(mail));
    // The empty sandbox keeps a template from running scripts on this page.
    add(
      mail,
      `<div class="html"><h3>HTML</h3><iframe sandbox title="HTML" srcdoc="${escapeHtml(html)}"></iframe></div>`,
    );
    add(mail, `<div><h3>Subject</h3><p>${escapeHtml(subject)}</p><h3>Text</h3><pre>${escapeHtml(text)}</pre></div>`);
  }
  for (const sms of templates.smsTemplates) {
    const text = sms.render(of(sms));
    const { count, encoding } = segmentsOf(text);
    const extent = `${count} ${count === 1 ? "segment" : "segments"} in ${encoding}`;
    add(sms, `<div><h3>SMS, ${extent}</h3><pre>${escapeHtml(text)}</pre></div>`);
  }

  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Templates</title>
<style>${STYLE}</style>
</head>
<body>
<h1>Templates</h1>
${[...sections].map(([stem, html]) => `<section>\n<h2>${escapeHtml(stem)}</h2>\n${html}\n</section>`).join("\n")}
</body>
</html>
`;
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => ENTITIES[character] ?? character);
}
