// Modal dialogs, the browser's own: they keep the focus, and Escape closes them.

import { h, iconButton, uniqueId } from "./dom.js";
import { guarded } from "./notices.js";
import { t } from "./words.js";

/** Show a form; `accept` is called when it is sent, and closes it unless it throws. Gives the dialog. */
export function formDialog(title, fields, { yes, danger = false, accept, ready = null }) {
  const id = uniqueId("dialog");
  const send = h(danger ? "button.danger" : "button.primary", {}, yes);
  const wrong = h("p.warning", { role: "alert", hidden: true });
  const tell = said => { wrong.replaceChildren(said); wrong.hidden = false; };
  const sent = guarded(async () => { wrong.hidden = true; await accept(); dialog.close(); }, tell);
  const dialog = h("dialog", { "aria-labelledby": id, onclose: () => dialog.remove() },
    h("form", { method: "dialog", onsubmit: sent },
      h("h2", { id }, title),
      fields,
      wrong,
      h("div.actions", {}, h("button", { type: "button", onclick: () => dialog.close() }, t("cancel")), send)));
  if (ready) {
    const check = () => { send.disabled = !ready(); };
    dialog.addEventListener("input", check);
    check();
  }
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** Show something to read. */
export function readDialog(title, nodes) {
  const id = uniqueId("dialog");
  const dialog = h("dialog.wide", { "aria-labelledby": id, onclose: () => dialog.remove() },
    h("div.heading", {}, h("h2", { id }, title),
      iconButton("close", t("close"), { onclick: () => dialog.close() }, true)),
    nodes);
  document.body.append(dialog);
  dialog.showModal();
}

/** Ask before something that can't be undone; `accept` does it. */
export const confirmDialog = (title, text, yes, accept) =>
  formDialog(title, [h("p", {}, text)], { yes, danger: true, accept });

/** Close what belongs to a view that is left. */
export function closeDialogs() {
  for (const dialog of document.querySelectorAll("dialog[open]")) dialog.close();
}
