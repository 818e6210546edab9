// What stands above every view: where you are, and where you can go.

import { h, icon, iconButton } from "./dom.js";
import { nextTheme, theme } from "./theme.js";
import { choose, language, t } from "./words.js";

const VIEWS = ["ask", "search", "documents", "quality", "settings"];
const ICONS = { documents: "document" };

export function showHeader(all, kb, view) {
  const brand = h("a.brand", { href: "#/", title: t("home") }, "Footnote", h("sup", { "aria-hidden": "true" }, "1"));
  const parts = [brand];
  if (kb) {
    const select = h("select", {
      "aria-label": t("chooser"),
      onchange: () => { location.hash = `#/${encodeURIComponent(select.value)}/${view}`; },
    }, all.map(one => h("option", { value: one.name, selected: one.name === kb.name }, one.name)));
    const links = VIEWS.map(name => h("a", {
      href: `#/${encodeURIComponent(kb.name)}/${name}`,
      "aria-current": name === view ? "page" : null,
    }, icon(ICONS[name] ?? name), h("span", {}, t(name))));
    parts.push(select, h("nav", { "aria-label": t("views") }, links));
  }
  const other = language === "zh" ? "en" : "zh";
  const colours = iconButton(theme() === "dark" ? "moon" : "sun", t("theme", { now: t(`theme_${theme()}`) }), {
    onclick: () => { nextTheme(); showHeader(all, kb, view); document.getElementById("colours").focus(); },
    id: "colours",
  }, true);
  const tongue = h("button.bare", { type: "button", lang: other === "zh" ? "zh-CN" : "en", title: t("languageHint"), onclick: () => choose(other) }, t("language"));
  parts.push(h("div.preferences", {}, colours, tongue));
  document.getElementById("header").replaceChildren(...parts);
}
