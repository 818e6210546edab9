// Elements, built of text and never of markup: whatever a document says, it is shown as it is.

const SVG = "http://www.w3.org/2000/svg";

/** An element: `h("button.primary", { onclick }, "Save")`. Children are nodes or text; what is
 * null or false is left out. A property with a dash, or one of `role`, `for`, is an attribute. */
export function h(spec, properties = {}, ...children) {
  const [tag, ...classes] = spec.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "dataset") Object.assign(element.dataset, value);
    else if (name.includes("-") || name === "role" || name === "for" || name === "list") {
      element.setAttribute(name, value);
    } else element[name] = value;
  }
  element.append(...children.flat(Infinity).filter(child => child !== null && child !== false && child !== undefined));
  return element;
}

/** A line icon by name, hidden from screen readers: the control beside it has the words. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("class", "icon");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** A button with an icon and, unless `quiet`, its words beside it. */
export function iconButton(name, words, properties = {}, quiet = false) {
  const labelled = quiet ? { "aria-label": words, title: words } : {};
  return h(quiet ? "button.bare" : "button", { type: "button", ...labelled, ...properties },
    icon(name), quiet ? null : h("span", {}, words));
}

/** Say something to screen readers without moving anybody's focus. */
export function announce(text) {
  document.getElementById("status").textContent = text;
}

let numbers = 0;
/** An id that no other element has. */
export const uniqueId = prefix => `${prefix}-${++numbers}`;

/** A labelled form field. */
export function field(words, control, hint = null) {
  control.id ||= uniqueId("field");
  const parts = [h("label", { for: control.id }, words), control];
  if (hint) {
    const id = uniqueId("hint");
    control.setAttribute("aria-describedby", id);
    parts.push(h("p.hint", { id }, hint));
  }
  return h("div.field", {}, parts);
}

/** `work`, called once nobody has called for it for a while; `wait` in milliseconds. */
export function debounced(work, wait) {
  let timer = 0;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...values), wait);
  };
}

/** `work` once for all the calls within `wait` milliseconds. */
export function gathered(work, wait) {
  let timer = 0;
  return () => {
    timer ||= setTimeout(() => {
      timer = 0;
      work();
    }, wait);
  };
}

/** Change what is in a node; the control that had the focus has it again, if it is still there. */
export function keepingFocus(node, change) {
  const one = document.activeElement;
  if (!node.contains(one)) return change();
  const name = ["id", "aria-label", "href"].find(attribute => one.hasAttribute(attribute));
  change();
  if (one.isConnected) one.focus();
  else if (name) node.querySelector(`[${name}="${CSS.escape(one.getAttribute(name))}"]`)?.focus();
}

const ICONS = {
  ask: "M4 5h16v11H9l-5 4z",
  back: "M15 5l-7 7 7 7",
  check: "M5 12.5l4.5 4.5L19 7.5",
  close: "M6 6l12 12M18 6L6 18",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  delete: "M5 7h14M10 7V4h4v3M7 7l1 13h8l1-13",
  document: "M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6",
  down: "M7 13l-3-.01V4h3m0 9l4 8c1.7 0 2.5-1 2.5-2.5V15H19a2 2 0 002-2.3l-1.1-6.9A2 2 0 0018 4H7",
  download: "M12 4v11m0 0l-4-4m4 4l4-4M5 20h14",
  folder: "M3 6h6l2 2h10v11H3z",
  forward: "M9 5l7 7-7 7",
  history: "M4 5v5h5M4.5 10A8 8 0 1112 20a8 8 0 01-7-4M12 8v4l3 2",
  key: "M8 15.5a3.5 3.5 0 110-7 3.5 3.5 0 010 7zM11.5 12H21v4M17 12v3",
  leave: "M10 4H4v16h6M14 8l4 4-4 4M18 12H8",
  moon: "M20 14.5A8.5 8.5 0 119.5 4a7 7 0 0010.5 10.5z",
  paste: "M8 5H6v16h12V5h-2M9 3h6v4H9zM9 12h6M9 16h4",
  plus: "M12 5v14M5 12h14",
  quality: "M4 20V10m6 10V4m6 16v-7m4 7H2",
  replace: "M4 12a8 8 0 0113.7-5.7L20 8.5M20 4v4.5h-4.5M20 12a8 8 0 01-13.7 5.7L4 15.5M4 20v-4.5h4.5",
  search: "M10.5 17a6.5 6.5 0 100-13 6.5 6.5 0 000 13zM15.5 15.5L21 21",
  settings: "M4 7h10m4 0h2M4 17h2m4 0h10M14 4.5v5M6 14.5v5",
  stop: "M7 7h10v10H7z",
  sun: "M12 16a4 4 0 100-8 4 4 0 000 8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.4 1.4M17.6 17.6L19 19M5 19l1.4-1.4M17.6 6.4L19 5",
  up: "M7 11l-3 .01V20h3m0-9l4-8c1.7 0 2.5 1 2.5 2.5V9H19a2 2 0 012 2.3l-1.1 6.9A2 2 0 0118 20H7",
  upload: "M12 19V6m0 0L7 11m5-5l5 5M5 20h14",
  warning: "M12 4l9 16H3zM12 10v4m0 2.5v.5",
};
