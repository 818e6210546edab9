// What happened, said in a corner and to screen readers, and gone after a while unless it is bad.

import { h, iconButton } from "./dom.js";
import { t } from "./words.js";

const SHOWN = 6000; // milliseconds

export function notice(text, kind = "good") {
  const box = h(`div.notice.${kind}`, {}, h("p", {}, text),
    iconButton("close", t("close"), { onclick: () => box.remove() }, true));
  const notices = document.getElementById("notices");
  notices.append(box);
  while (notices.children.length > 4) notices.firstElementChild.remove();
  if (kind !== "bad") setTimeout(() => box.remove(), SHOWN);
}

/** Why something failed, in the reader's words where the server said nothing. */
export const reason = error => error.status === 0 ? t("unreachableShort") : error.message;

/** An event handler that says what went wrong, on a button that can't be pressed twice meanwhile. */
export function guarded(action) {
  return async event => {
    event.preventDefault?.();
    const button = event.submitter ?? (event.currentTarget.matches?.("button") ? event.currentTarget : null);
    if (button) button.disabled = true;
    try {
      await action(event);
    } catch (error) {
      notice(error.status === 0 ? t("unreachableShort") : t("failed", { detail: error.message }), "bad");
    } finally {
      if (button) button.disabled = false;
    }
  };
}
