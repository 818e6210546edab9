// What happened, said in a corner and to screen readers, and gone after a while unless it is bad.

import { Problem } from "./api.js";
import { h, iconButton } from "./dom.js";
import { t } from "./words.js";

const SHOWN = 6000; // milliseconds

/** Say something: text, or nodes. What has just been said isn't said twice. */
export function notice(said, kind = "good") {
  const notices = document.getElementById("notices");
  const words = h("p", {}, said);
  if (notices.lastElementChild?.firstElementChild.textContent === words.textContent) notices.lastElementChild.remove();
  const box = h(`div.notice.${kind}`, {}, words,
    iconButton("close", t("close"), { onclick: () => box.remove() }, true));
  notices.append(box);
  while (notices.children.length > 4) notices.firstElementChild.remove();
  if (kind !== "bad") setTimeout(() => box.remove(), SHOWN);
}

/** Why something failed: in the reader's words, or in the server's, which are English. */
export function reason(error) {
  if (!(error instanceof Problem)) return error.message;
  return error.status ? h("span", { lang: "en" }, error.message) : t("unreachableShort");
}

/** That something didn't work, and why. */
export const failure = error => error.status === 0 ? reason(error) : h("span", {}, t("failed"), " ", reason(error));

/** An event handler that tells what went wrong, and that can't be called again meanwhile. */
export function guarded(action, tell = said => notice(said, "bad")) {
  let busy = false;
  return async event => {
    event.preventDefault?.();
    if (busy) return;
    busy = true;
    const button = event.submitter ?? event.currentTarget.closest?.("button");
    button?.setAttribute("aria-disabled", "true"); // truly disabled, it would lose the focus
    try {
      await action(event);
    } catch (error) {
      tell(failure(error));
    } finally {
      busy = false;
      button?.removeAttribute("aria-disabled");
    }
  };
}
