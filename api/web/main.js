// The page: one view at a time, chosen by the address, `#/` or `#/NAME/VIEW`.

import { brokenOff, get, onConnection } from "./api.js";
import { closeDialogs } from "./dialogs.js";
import { h } from "./dom.js";
import { showHeader } from "./header.js";
import { failure, notice, reason } from "./notices.js";
import { loadSession, signIn } from "./session.js";
import { closeSource } from "./source.js";
import { applyTheme } from "./theme.js";
import { locale, t } from "./words.js";

const VIEWS = ["ask", "search", "documents", "quality", "settings"]; // and "home"
const main = document.getElementById("main");
let leave = () => {};
const session = loadSession();
let turn = 0;
let failed = false; // whether there is no view, only why not
let moved = false; // the first view doesn't take the focus from where a page begins

/** Which knowledge base and view the address names; none where it names nothing. */
function address() {
  try {
    const [, name = "", view = "ask"] = location.hash.split("/").map(decodeURIComponent);
    return { name, view };
  } catch {
    return { name: "", view: "ask" };
  }
}

/** A view's module. The first view waits for no other: those are fetched once it is there. */
const load = name => import(`./view.${name}.js`).catch(async () => { throw await brokenOff(); });
const loadOthers = () => setTimeout(() => VIEWS.forEach(name => load(name).catch(() => {})));

async function show() {
  const { name, view } = address();
  const mine = ++turn;
  leave();
  leave = () => {};
  closeSource();
  closeDialogs();
  main.setAttribute("aria-busy", "true");
  try {
    const [all, module] = await Promise.all([get("/kb"), load(name && VIEWS.includes(view) ? view : "home"), session]);
    if (mine !== turn) return;
    const kb = name ? all.find(one => one.name === name) : null;
    if (name && !kb) {
      notice(t("kbMissing", { name }), "bad");
      return location.replace("#/");
    }
    if (kb && !VIEWS.includes(view)) return location.replace(`#/${encodeURIComponent(name)}/ask`);
    showHeader(all, kb, view);
    const shown = await module.view(kb ?? all);
    if (mine !== turn) return shown.leave?.();
    leave = shown.leave ?? leave;
    document.title = [shown.title, kb?.name, "Footnote"].filter(Boolean).join(" · ");
    main.replaceChildren(...shown.nodes);
    failed = false;
    if (moved) main.focus({ preventScroll: true });
    scrollTo(0, 0);
  } catch (error) {
    if (mine !== turn) return;
    failed = true;
    showHeader([], null, null);
    main.replaceChildren(...error.status === 401 ? locked() : [h("p.empty", {}, reason(error))]);
  } finally {
    if (mine === turn) main.removeAttribute("aria-busy");
  }
}

const locked = () => [h("h1", {}, t("signIn")), h("p.empty", {}, t("signInText")),
  h("div.actions", {}, h("button.primary", { type: "button", onclick: signIn }, t("signIn")))];

addEventListener("hashchange", () => { moved = true; show(); });
addEventListener("footnote:signed-in", () => show());
// Views change what the header says: which knowledge bases there are.
addEventListener("footnote:changed", async () => {
  const { name, view } = address();
  const all = await get("/kb").catch(() => null);
  if (all) showHeader(all, all.find(one => one.name === name) ?? null, view);
});
addEventListener("unhandledrejection", event => {
  event.preventDefault();
  const error = event.reason instanceof Error ? event.reason : new Error(String(event.reason));
  if (error.status === undefined) console.error(error);
  notice(failure(error), "bad");
});

const banner = document.getElementById("connection");
onConnection(reachable => {
  banner.hidden = reachable;
  banner.textContent = reachable ? "" : t("unreachable");
  if (reachable) notice(t("back"));
  if (reachable && failed) show();
});

document.documentElement.lang = locale;
document.querySelector(".skip").textContent = t("skip");
document.querySelector(".skip").onclick = event => { event.preventDefault(); main.focus(); };
applyTheme();
show().then(loadOthers);
