import { MailCatcher, mailLine } from "../../dev/catchers/mail-catcher.js";

const DEFAULT_PORT = 1025;

// Caught mails are not stored, so the process can exit at once. An orderly close would wait for idle connections of the worker.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(0));

const catcher = new MailCatcher();
catcher.on("mail", (mail) => console.log(mailLine(mail)));
const port = await catcher.listen("0.0.0.0", Number(process.env.SMTP_PORT || DEFAULT_PORT));
console.log(`Catching mails on port ${port}`);
