import "../look/look.css";
import "./page.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { createOtpClient, OtpApi } from "./api/otp-api.js";
import { Sessions } from "./login/sessions.js";
import { Store } from "./login/store.js";
import { readSettings } from "./settings.js";
import { App } from "./view/app.js";
import { LanguageProvider } from "./words/language.js";

const root = document.getElementById("root");
if (root === null) throw new Error("the page has no #root");

const store = new Store();
const parts = {
  api: new OtpApi(createOtpClient(), Date.now),
  sessions: new Sessions(store, Date.now),
  settings: readSettings(),
};

createRoot(root).render(
  <StrictMode>
    <LanguageProvider store={store}>
      <App parts={parts} />
    </LanguageProvider>
  </StrictMode>,
);
