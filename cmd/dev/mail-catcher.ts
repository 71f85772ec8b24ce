import { MailCatcher, mailLine } from "../../dev/catchers/mail-catcher.js";

const DEFAULT_PORT = 1025;

// Nothing caught is kept, so there is nothing to close in order; closing would wait for the worker's idle connections.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(0));

const catcher = new MailCatcher();
catcher.on("mail", (mail) => console.log(mailLine(mail)));
const port = await catcher.listen("0.0.0.0", Number(process.env.SMTP_PORT || DEFAULT_PORT));
console.log(`Catching mails on port ${port}`);
