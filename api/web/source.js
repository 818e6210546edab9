// The source beside the answer: the page of a PDF with the quote highlighted, or the text around it.

import { get, getReply, of } from "./api.js";
import { announce, h, icon, iconButton } from "./dom.js";
import { guarded, reason } from "./notices.js";
import { place, t } from "./words.js";

const AROUND = 3000; // code points of text before and after the span, and as many more at a time
const SCALE = 2; // pixels of a page image a point

const panel = document.getElementById("source");
const narrow = matchMedia("(max-width: 62rem)");
let opener = null;
let turn = 0;

/** Open the source at a span of a version; of the live version's beginning where neither is given.
 * `about` is a citation, a hit, or a document. */
export async function openSource(kb, about) {
  const mine = ++turn;
  opener = document.activeElement;
  const spot = { kb, id: about.document_id, version: about.version, start: about.start ?? 0, end: about.end ?? 0, title: about.title };
  const title = h("h2", { tabIndex: -1 }, about.title);
  const body = h("div.body", {}, h("p.hint", {}, t("loading")));
  panel.replaceChildren(
    h("div.heading", {}, title, iconButton("close", t("sourceClose"), { onclick: closeSource }, true)),
    h("p.facts", {}, [about.uri === about.title ? null : about.uri, place(about.page),
      spot.end ? t("sourceChars", { start: spot.start, end: spot.end }) : null].filter(Boolean).join(" · ")),
    body);
  panel.setAttribute("aria-label", t("source"));
  panel.setAttribute("role", "region");
  panel.hidden = false;
  document.body.classList.add("with-source");
  document.getElementById("main").inert = narrow.matches;
  document.getElementById("header").inert = narrow.matches;
  title.focus();
  try {
    const shown = await views(spot);
    if (mine === turn) {
      body.replaceChildren(...shown);
      body.querySelector("[data-target]")?.scrollIntoView({ block: "center" });
    }
  } catch (error) {
    if (mine === turn) body.replaceChildren(h("p.warning", { role: "alert" }, icon("warning"), error.status === 404 ? t("sourceGone") : reason(error)));
  }
}

export function closeSource() {
  if (panel.hidden) return;
  turn += 1;
  panel.hidden = true;
  panel.replaceChildren();
  document.body.classList.remove("with-source");
  document.getElementById("main").inert = document.getElementById("header").inert = false;
  if (opener?.isConnected) opener.focus();
  else document.getElementById("main").focus({ preventScroll: true });
}

addEventListener("keydown", event => {
  if (event.key === "Escape" && !panel.hidden && !document.querySelector("dialog[open]")) closeSource();
});
narrow.addEventListener("change", () => {
  const covered = narrow.matches && !panel.hidden;
  document.getElementById("main").inert = document.getElementById("header").inert = covered;
});

async function views(spot) {
  const document_ = await get(of(spot.kb, "documents", spot.id));
  spot.version ??= document_.version;
  const nodes = [];
  if (spot.version !== document_.version) nodes.push(h("p.hint", {}, t("sourceNewer")));
  if (await mediaType(spot, document_) !== "application/pdf") return [...nodes, await textView(spot)];
  const pages = await pagesView(spot);
  return pages ? [...nodes, ...switched(spot, pages)] : [...nodes, await textView(spot)];
}

/** That of the version which is shown: a document may have been replaced by one of another kind. */
async function mediaType(spot, live) {
  if (spot.version === live.version) return live.media_type;
  const { versions } = await get(of(spot.kb, "documents", spot.id, "versions"));
  return versions.find(one => one.version === spot.version)?.media_type;
}

function switched(spot, pages) {
  const body = h("div", {}, pages);
  const choice = (name, build) => h("label", {},
    h("input", { type: "radio", name: "source-as", checked: name === "sourcePage", onchange: async () => {
      body.replaceChildren(await build());
      body.querySelector("[data-target]")?.scrollIntoView({ block: "center" });
    } }), h("span", {}, t(name)));
  return [
    h("fieldset.segments", {}, h("legend.unseen", {}, t("sourceAs")),
      choice("sourcePage", async () => pages), choice("sourceText", () => textView(spot))),
    body,
  ];
}

// ---- The page of a PDF

async function pagesView(spot) {
  const query = new URLSearchParams({ version: spot.version });
  const { pages: all } = await get(`${of(spot.kb, "documents", spot.id, "pages")}?${query}`);
  if (!all.length) return null;
  let boxes = [], sizes = [];
  if (spot.end > spot.start) {
    const span = new URLSearchParams({ version: spot.version, start: spot.start, end: spot.end });
    ({ boxes, pages: sizes } = await get(`${of(spot.kb, "documents", spot.id, "boxes")}?${span}`));
    if (!boxes.length) return null; // its text isn't on the pages: the text view has it
  }
  let at = all.findIndex(page => page.number === (boxes[0]?.page ?? all[0].number));
  const frame = h("div.page");
  const label = h("span", {});
  const move = step => () => { at += step; show(); announce(label.textContent); };
  const previous = iconButton("back", t("pagePrevious"), { onclick: move(-1) }, true);
  const next = iconButton("forward", t("pageNext"), { onclick: move(1) }, true);
  function show() {
    const { number, label: name } = all[at];
    const image = h("img", {
      src: `${of(spot.kb, "documents", spot.id, "pages", `${number}.png`)}?${query}&scale=${SCALE}`,
      alt: t("pageImage", { label: name, title: spot.title }),
    });
    const size = sizes.find(page => page.number === number);
    if (size) image.style.aspectRatio = `${size.width} / ${size.height}`; // until it has come
    const mine = boxes.filter(box => box.page === number).map((box, index) => highlight(box, size, index));
    frame.replaceChildren(image, ...mine);
    label.textContent = t("pageOf", { label: name, n: all.length });
    previous.disabled = at === 0;
    next.disabled = at === all.length - 1;
  }
  show();
  return h("div", {}, h("div.pager", {}, previous, label, next), frame);
}

/** A box over the picture, in shares of the page, so that it stays in place at every size. */
function highlight(box, size, index) {
  const mark = h("div.highlight", index === 0 ? { dataset: { target: "" }, role: "img", "aria-label": t("pageHighlight") } : {});
  const share = (points, whole) => `${(100 * points) / whole}%`;
  mark.style.left = share(box.left, size.width);
  mark.style.top = share(box.top, size.height);
  mark.style.width = share(box.right - box.left, size.width);
  mark.style.height = share(box.bottom - box.top, size.height);
  return mark;
}

// ---- The text

async function textView(spot) {
  const from = Math.max(0, spot.start - AROUND);
  const [first, length] = await text(spot, from, spot.end + AROUND);
  const points = [...first];
  const [before, quote, after] = [
    points.slice(0, spot.start - from), points.slice(spot.start - from, spot.end - from), points.slice(spot.end - from),
  ].map(part => part.join(""));
  let start = from, end = from + points.length;
  const head = document.createTextNode(before), tail = document.createTextNode(after);
  const mark = quote ? h("mark", { dataset: { target: "" }, "aria-label": t("quoted") }, quote) : null;
  const earlier = h("button", { type: "button", hidden: start === 0, onclick: guarded(async () => {
    const [more] = await text(spot, Math.max(0, start - AROUND), start);
    start = Math.max(0, start - AROUND);
    head.data = more + head.data;
    earlier.hidden = start === 0;
  }) }, t("sourceEarlier"));
  const later = h("button", { type: "button", hidden: end >= length, onclick: guarded(async () => {
    const [more] = await text(spot, end, end + AROUND);
    end = Math.min(end + AROUND, length);
    tail.data += more;
    later.hidden = end >= length;
  }) }, t("sourceLater"));
  return h("div", {}, earlier, h("pre.text", { tabIndex: 0 }, ...[head, mark, tail].filter(Boolean)), later);
}

/** A span of the canonical text, and how long that is in all. */
async function text(spot, start, end) {
  const query = new URLSearchParams({ version: spot.version, start, end });
  const reply = await getReply(`${of(spot.kb, "documents", spot.id, "text")}?${query}`);
  return [await reply.text(), Number(reply.headers.get("X-Text-Length"))];
}
