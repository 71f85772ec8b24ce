import type SMTPConnection from "nodemailer/lib/smtp-connection";

/** How to reach a mail server and log in to it. */
export interface MailServer {
  readonly options: SMTPConnection.Options;
  /** Undefined if the server needs no login. */
  readonly auth: SMTPConnection.AuthenticationType | undefined;
}

/**
 * Reads an `SMTP_URL`. Options of its query that begin with `tls.` are for TLS, and `authMethod` is for the login.
 *
 * @param name the host name for EHLO (RFC 5321 §4.1.1.1)
 */
export function mailServer(url: string, name: string): MailServer {
  const { protocol, hostname, port, username, password, searchParams } = new URL(url);
  const tls: Record<string, string | boolean> = {};
  const others: Record<string, string | boolean> = {};
  for (const [option, text] of searchParams) {
    const value = text === "true" || text === "false" ? text === "true" : text;
    if (option.startsWith("tls.")) tls[option.slice("tls.".length)] = value;
    else others[option] = value;
  }
  const host = hostname.replace(/^\[|\]$/g, "");
  const options = { ...others, host, port, secure: protocol === "smtps:", tls, name };
  const user = decodeURIComponent(username);
  const pass = decodeURIComponent(password);
  const method = searchParams.get("authMethod") ?? false;
  return { options, auth: user === "" && pass === "" ? undefined : { user, pass, method } };
}
