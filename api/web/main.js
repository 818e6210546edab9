// The page: one view at a time, chosen by the address, `#/` or `#/NAME/VIEW`.

import { onConnection, get, of, Problem } from "./api.js";
import { h } from "./dom.js";
import { showHeader } from "./header.js";
import { notice } from "./notices.js";
import { closeSource } from "./source.js";
import { applyTheme } from "./theme.js";
import { language, locale, t } from "./words.js";
import { askView } from "./view.ask.js";
import { documentsView } from "./view.documents.js";
import { homeView } from "./view.home.js";
import { qualityView } from "./view.quality.js";
import { searchView } from "./view.search.js";
import { settingsView } from "./view.settings.js";

const VIEWS = {
  ask: askView, search: searchView, documents: documentsView, quality: qualityView, settings: settingsView,
};
const main = document.getElementById("main");
let leave = () => {};
let turn = 0;

async function show() {
  const [, name, view = "ask"] = location.hash.split("/").map(decodeURIComponent);
  const mine = ++turn;
  leave();
  leave = () => {};
  closeSource();
  try {
    const all = await get("/kb");
    if (mine !== turn) return;
    const kb = name ? all.find(one => one.name === name) : null;
    if (name && (!kb || !VIEWS[view])) {
      notice(t("kbMissing", { name }), "bad");
      location.hash = "#/";
      return;
    }
    showHeader(all, kb, view);
    const shown = await (kb ? VIEWS[view](kb) : homeView(all));
    if (mine !== turn) return shown.leave?.();
    leave = shown.leave ?? leave;
    document.title = [shown.title, kb?.name, "Footnote"].filter(Boolean).join(" · ");
    main.replaceChildren(...shown.nodes);
    if (moved) main.focus({ preventScroll: true });
    scrollTo(0, 0);
  } catch (error) {
    if (mine !== turn) return;
    showHeader([], null, null);
    main.replaceChildren(h("p.empty", {}, error.status === 0 ? t("unreachableShort") : error.message));
  }
}

let moved = false; // the first view doesn't take the focus from where a page begins
addEventListener("hashchange", () => { moved = true; show(); });
// Views change what the header says: how many documents there are, that one is gone.
addEventListener("footnote:changed", async () => {
  const [, name, view = "ask"] = location.hash.split("/").map(decodeURIComponent);
  const all = await get("/kb").catch(() => null);
  if (all) showHeader(all, all.find(one => one.name === name) ?? null, view);
});
addEventListener("unhandledrejection", event => {
  event.preventDefault();
  const error = event.reason;
  if (error instanceof Problem) {
    notice(error.status === 0 ? t("unreachableShort") : t("failed", { detail: error.message }), "bad");
  } else {
    console.error(error);
    notice(t("failed", { detail: String(error?.message ?? error) }), "bad");
  }
});

const banner = document.getElementById("connection");
onConnection(reachable => {
  banner.hidden = reachable;
  banner.textContent = reachable ? "" : t("unreachable");
  if (reachable) {
    notice(t("back"));
    if (!main.firstElementChild || main.querySelector(":scope > .empty")) show();
  }
});

document.documentElement.lang = locale;
document.querySelector(".skip").textContent = t("skip");
document.querySelector(".skip").onclick = event => { event.preventDefault(); main.focus(); };
applyTheme();
show();
