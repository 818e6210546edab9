// Search as you type: the passages, and why each was found.

import { get, of, post } from "./api.js";
import { thumbs } from "./answer.js";
import { announce, debounced, field, h, icon } from "./dom.js";
import { filterRows } from "./filters.js";
import { guarded, reason } from "./notices.js";
import { openSource } from "./source.js";
import { percent, place, t } from "./words.js";

const WAIT = 200; // milliseconds after the last key
const K = 10;
const KNOWN = 1000; // documents whose metadata filters offer
const MODES = ["hybrid", "dense", "lexical"];

export async function view(kb) {
  const { documents } = await get(`${of(kb.name, "documents")}?limit=${KNOWN}`);
  let running = null, left = false;
  const query = h("input", { type: "search", placeholder: t("searchPlaceholder"), "aria-label": t("searchLabel"), maxLength: 10000, autocomplete: "off" });
  const mode = h("select", { "aria-label": t("searchMode") }, MODES.map(name => h("option", { value: name }, t(`mode_${name}`))));
  const results = h("section.results", { "aria-live": "off" });
  const filters = filterRows(documents, () => search());
  const why = whyForm(kb, documents, () => ({ query: query.value.trim(), mode: mode.value, filter: filters.value() }));

  async function search() {
    running?.abort();
    if (left) return;
    const words = query.value.trim();
    why.hidden = !words;
    if (!words) return results.replaceChildren(empty());
    const mine = running = new AbortController();
    results.setAttribute("aria-busy", "true");
    try {
      const began = performance.now();
      const body = { query: words, k: K, mode: mode.value, filter: filters.value(), explain: true };
      const found = await post(of(kb.name, "search"), body, { signal: mine.signal });
      show(kb.name, words, found, performance.now() - began, results);
    } catch (error) {
      if (error.name !== "AbortError") results.replaceChildren(h("p.warning", { role: "alert" }, icon("warning"), reason(error)));
    } finally {
      if (running === mine) results.removeAttribute("aria-busy");
    }
  }

  const soon = debounced(search, WAIT);
  query.addEventListener("input", soon);
  mode.addEventListener("change", search);
  results.append(empty());
  return {
    title: t("searchTitle"),
    nodes: [
      h("h1.unseen", {}, t("searchTitle")),
      h("form.searching", { role: "search", onsubmit: event => { event.preventDefault(); search(); } },
        query, mode),
      filters.node, results, why,
    ],
    leave: () => { left = true; running?.abort(); },
  };
}

const empty = () => h("div.empty", {}, h("h2", {}, t("searchEmpty")), h("p", {}, t("searchEmptyText")));

function show(kb, words, found, took, results) {
  if (!found.hits.length) {
    announce(t("searchNothing"));
    return results.replaceChildren(h("div.empty", {}, h("h2", {}, t("searchNothing")), h("p", {}, t("searchNothingText"))));
  }
  const { weighing } = found;
  const summary = t("results", { n: found.hits.length, ms: Math.round(took) });
  announce(summary);
  results.replaceChildren(
    h("p.facts", {}, summary, weighing ? ` · ${t("weighing", { share: percent(weighing.weight), origin: t(`origin_${weighing.origin}`) })}` : ""),
    h("ol.hits", {}, found.hits.map(hit => h("li", {}, shownHit(kb, words, hit)))));
}

function shownHit(kb, words, hit) {
  return h("article.hit", {},
    h("h2", {}, h("button.link", { type: "button", title: t("openAt", hit), onclick: () => openSource(kb, hit) }, hit.title)),
    h("p.facts", {}, [...hit.heading, place(hit.page)].filter(Boolean).join(" › ")),
    h("p.passage", {}, marked(hit.text, words)),
    h("div.judged", {}, legs(hit), thumbs(kb, words, hit)));
}

/** How much each leg adds to the score: a bar and, in words, rank and raw score. */
function legs(hit) {
  const whole = Math.max(hit.score, 1e-9);
  const bars = hit.legs.map(leg => {
    const bar = h(`span.bar.${leg.name}`);
    bar.style.width = `${Math.max(2, (100 * Math.max(leg.share, 0)) / whole)}%`;
    return bar;
  });
  const details = hit.legs.map(leg => h(`span.leg.${leg.name}`, {}, t("legDetail", {
    leg: t(`leg_${leg.name}`), rank: leg.rank, score: leg.score.toFixed(2), share: leg.share.toFixed(2),
  })));
  return h("div.legs", {}, h("span.bars", { "aria-hidden": "true" }, bars),
    h("span.unseen", {}, t("legs", { score: hit.score.toFixed(2) })), details);
}

/** A passage with the words of the query marked, as text. */
function marked(text, words) {
  const terms = words.match(/\p{Script=Han}{2,}|(?:(?!\p{Script=Han})[\p{L}\p{N}]){3,}/gu)?.flatMap(pairs) ?? [];
  if (!terms.length) return text;
  const any = new RegExp(`(${[...new Set(terms)].sort((a, b) => b.length - a.length).join("|")})`, "giu");
  return text.split(any).map((part, index) => (index % 2 ? h("mark", {}, part) : part));
}

/** Chinese is written without spaces: of a run of it, the run and each two characters of it. */
function pairs(term) {
  const characters = [...term];
  if (!/\p{Script=Han}/u.test(term)) return [term];
  return [term, ...characters.slice(1).map((one, index) => characters[index] + one)];
}

function whyForm(kb, documents, asked) {
  const name = h("input", { type: "text", required: true, maxLength: 2048, list: "documents-known", autocomplete: "off" });
  const said = h("div", { "aria-live": "polite" });
  const explain = guarded(async () => {
    const { why } = await post(of(kb.name, "search"), { ...asked(), why: name.value });
    const stands = ["dense", "lexical"].filter(leg => why[leg]).map(leg => h("p", {}, t("whyStands", {
      leg: t(`leg_${leg}`), rank: why[leg].rank ?? t("whyFar"), score: why[leg].score.toFixed(2),
    })));
    said.replaceChildren(why.score === null ? h("p", {}, t("whyNowhere")) : "", ...stands,
      why.rank ? h("p", {}, t("whyRank", { n: why.rank })) : "",
      why.score !== null && why.last_score !== null ? h("p", {}, t("whyScores", { score: why.score.toFixed(2), last: why.last_score.toFixed(2) })) : "",
      why.missing.length ? h("p", {}, t("whyMissing", { terms: why.missing.join(", ") })) : "");
  });
  return h("details.panel", { hidden: true }, h("summary", {}, t("why")),
    h("form.row", { onsubmit: explain }, field(t("whyLabel"), name), h("button", {}, t("whyAsk"))),
    h("datalist", { id: "documents-known" }, documents.map(one => h("option", { value: one.uri }, one.title))), said);
}
