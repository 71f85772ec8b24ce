import "../look/look.css";
import "./inbox.css";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Inbox } from "./inbox.js";

const root = document.getElementById("root");
if (root === null) throw new Error("the page has no #root");
createRoot(root).render(
  <StrictMode>
    <Inbox />
  </StrictMode>,
);
