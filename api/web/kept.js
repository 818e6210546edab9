// What the browser keeps for a reader. It may refuse to, be full, or hold what an older page wrote.

const FORMAT = "footnote-1-";

/** What was kept under a name, or `otherwise` where there is nothing that `fits`. */
export function recall(kind, name, fits, otherwise) {
  try {
    const value = JSON.parse(window[kind].getItem(FORMAT + name));
    return fits(value) ? value : otherwise;
  } catch {
    return otherwise;
  }
}

/** Keep a value under a name, in "localStorage" or, until the tab is closed, "sessionStorage". */
export function keep(kind, name, value) {
  try {
    window[kind].setItem(FORMAT + name, JSON.stringify(value));
  } catch {
    forget(kind, name); // there is no room: what was kept before would be wrong
  }
}

export function forget(kind, name) {
  try {
    window[kind].removeItem(FORMAT + name);
  } catch {
    // Nothing could be kept either.
  }
}
