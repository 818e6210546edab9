// Whose key the page has, on a server that wants one: a cookie holds what it was given for it.

import { get, onLocked, post, remove } from "./api.js";
import { formDialog } from "./dialogs.js";
import { field, h, iconButton } from "./dom.js";
import { guarded } from "./notices.js";
import { t } from "./words.js";

let session = { required: false, key: null };
let asking = null;

/** Ask the server; a server that doesn't answer is asked again with the next view. */
export async function loadSession() {
  session = await get("/session").catch(() => session);
}

/** Ask for a key, unless that is being done; the view is shown anew once there is one. */
export function signIn() {
  if (asking?.isConnected) return;
  const key = h("input", { type: "password", autocomplete: "current-password", spellcheck: false, required: true });
  asking = formDialog(t("signIn"), [h("p", {}, t("signInText")), field(t("signInKey"), key)], {
    yes: t("signIn"), ready: () => key.value.trim() !== "",
    accept: async () => {
      try {
        session = await post("/session", { key: key.value.trim() });
      } catch (error) {
        key.select();
        if (error.status === 401) throw new Error(t("signInWrong"));
        if (error.status === 429) throw new Error(t("signInLater"));
        throw error;
      }
      dispatchEvent(new Event("footnote:signed-in"));
    },
  });
}

/** The button that the header has for it: to sign out, or in; none where no key is needed. */
export function sessionButton() {
  if (!session.required) return null;
  if (!session.key) return iconButton("key", t("signIn"), { onclick: signIn }, true);
  const leave = guarded(async () => { await remove("/session"); location.reload(); });
  return iconButton("leave", t("signOut", { name: session.key.name }), { onclick: leave }, true);
}

onLocked(() => {
  session = { required: true, key: null };
  signIn();
});
