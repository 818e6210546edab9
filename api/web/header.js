// What stands above every view: where you are, and where you can go.

import { h, icon, iconButton, keepingFocus } from "./dom.js";
import { sessionButton } from "./session.js";
import { nextTheme, theme } from "./theme.js";
import { choose, language, t } from "./words.js";

const VIEWS = ["ask", "search", "documents", "quality", "settings"];
const ICONS = { documents: "document" };

export function showHeader(all, kb, view) {
  const brand = h("a.brand", { href: "#/", title: t("home") }, "Footnote", h("sup", { "aria-hidden": "true" }, "1"));
  const parts = [brand];
  if (kb) {
    const links = VIEWS.map(name => h("a", {
      href: to(kb, name),
      "aria-current": name === view ? "page" : null,
    }, icon(ICONS[name] ?? name), h("span", {}, t(name))));
    parts.push(chooser(all, kb, view), h("nav", { "aria-label": t("views") }, links));
  }
  const other = language === "zh" ? "en" : "zh";
  const colours = iconButton(theme() === "dark" ? "moon" : "sun", t("theme", { now: t(`theme_${theme()}`) }), {
    onclick: () => { nextTheme(); showHeader(all, kb, view); },
    id: "colours",
  }, true);
  const tongue = h("button.bare", { type: "button", id: "tongue", lang: other === "zh" ? "zh-CN" : "en", title: t("languageHint"), onclick: () => choose(other) }, t("language"));
  parts.push(h("div.preferences", {}, sessionButton(), colours, tongue));
  const header = document.getElementById("header");
  if (header.querySelector("details[open]")) return; // somebody is choosing
  keepingFocus(header, () => header.replaceChildren(...parts));
}

const to = (kb, view) => `#/${encodeURIComponent(kb.name)}/${view}`;

/** The knowledge bases, in a list that opens. */
function chooser(all, kb, view) {
  const menu = h("details.chooser", {
    onfocusout: event => { if (!menu.contains(event.relatedTarget)) menu.open = false; },
    onkeydown: event => {
      if (event.key !== "Escape" || !menu.open) return;
      event.stopPropagation();
      menu.open = false;
      menu.firstElementChild.focus();
    },
    onclick: event => { if (event.target.closest("a")) menu.open = false; },
  },
  h("summary", { id: "chooser", title: t("chooser") }, kb.name),
  h("ul", {}, all.map(one => h("li", {}, h("a", { href: to(one, view), "aria-current": one.name === kb.name ? "true" : null }, one.name))),
    h("li", {}, h("a", { href: "#/" }, t("chooserAll")))));
  return menu;
}
