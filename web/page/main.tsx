import "../look/look.css";
import "./page.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { createOtpClient, OtpApi } from "./api/otp-api.js";
import { Sessions } from "./login/sessions.js";
import { openStorage } from "./login/storage.js";
import { readSettings } from "./settings.js";
import { App } from "./view/app.js";
import { LanguageProvider } from "./words/language.js";

const root = document.getElementById("root");
if (root === null) throw new Error("the page has no #root");

const storage = openStorage();
const parts = {
  api: new OtpApi(createOtpClient(), Date.now),
  sessions: new Sessions(storage, Date.now),
  settings: readSettings(),
};

createRoot(root).render(
  <StrictMode>
    <LanguageProvider storage={storage}>
      <App parts={parts} />
    </LanguageProvider>
  </StrictMode>,
);
