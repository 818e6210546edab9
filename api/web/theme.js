// Light, dark, or as the system is.

const KEPT = "footnote-theme";
const THEMES = ["auto", "light", "dark"];

export const theme = () => localStorage.getItem(KEPT) ?? "auto";

export function applyTheme() {
  document.documentElement.dataset.theme = theme();
}

/** The next of the three; which it is now. */
export function nextTheme() {
  const next = THEMES[(THEMES.indexOf(theme()) + 1) % THEMES.length];
  localStorage.setItem(KEPT, next);
  applyTheme();
  return next;
}
