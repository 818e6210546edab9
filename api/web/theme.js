// Light, dark, or as the system is.

import { keep, recall } from "./kept.js";

const THEMES = ["auto", "light", "dark"];

export const theme = () => recall("localStorage", "theme", one => THEMES.includes(one), "auto");

export function applyTheme() {
  document.documentElement.dataset.theme = theme();
}

/** Change to the next of the three. */
export function nextTheme() {
  keep("localStorage", "theme", THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length]);
  applyTheme();
}
