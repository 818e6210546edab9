// One answer: as it streams, with its footnotes, and what the server found out about each sentence.

import { events, of, post, remove } from "./api.js";
import { announce, h, icon, iconButton } from "./dom.js";
import { showHtml } from "./html.js";
import { guarded, notice, reason } from "./notices.js";
import { openSource } from "./source.js";
import { percent, place, t } from "./words.js";

const MARK = / ?\[(\d+)\]/g;

/** Ask, and show the answer in `box` as it comes; gives the answer, or null where there is none. */
export async function ask(kb, question, history, box, signal) {
  const text = h("div.answer", { "aria-busy": "true" });
  const state = h("p.state", {}, t("searching"));
  box.append(text, state);
  let said = "", known = new Map(), waiting = false;
  const lines = [];
  const redraw = () => { waiting = false; drawWords(text, lines, said, known, kb); };
  const later = () => { if (!waiting) { waiting = true; requestAnimationFrame(redraw); } };
  try {
    const body = { question, history, stream: true, html: true };
    for await (const { event, data } of events(of(kb, "ask"), body, signal)) {
      if (event === "token") {
        said += data.text;
        state.textContent = t("writing");
        later();
      } else if (event === "citation") {
        known.set(data.marker, data);
        later();
      } else if (event === "error") {
        throw new Error(data.detail);
      } else if (event === "done") {
        state.remove();
        box.replaceChildren(...whole(kb, question, data));
        announce(data.abstained ? t("abstained") : t("answered", { n: data.citations.length }));
        return data;
      }
    }
    throw new Error(t("stopped"));
  } catch (error) {
    redraw();
    text.removeAttribute("aria-busy");
    state.replaceWith(h("p.warning", { role: "alert" }, icon("warning"), error.name === "AbortError" ? t("stopped") : reason(error)));
    return null;
  }
}

/** The words so far; marks whose citation has come lead to it. Only `lines` that changed are drawn
 * anew, so that a mark keeps the focus. */
function drawWords(box, lines, said, known, kb) {
  said.split("\n").filter(Boolean).forEach((line, index) => {
    const key = [line, ...[...line.matchAll(MARK)].map(mark => known.has(Number(mark[1])))].join();
    if (lines[index]?.key === key) return;
    const paragraph = h("p", {});
    let after = 0;
    for (const mark of line.matchAll(MARK)) {
      const citation = known.get(Number(mark[1]));
      if (!citation) continue;
      paragraph.append(line.slice(after, mark.index), h("sup", {}, markLink(kb, citation)));
      after = mark.index + mark[0].length;
    }
    paragraph.append(line.slice(after));
    if (lines[index]) lines[index].paragraph.replaceWith(paragraph);
    else box.append(paragraph);
    lines[index] = { key, paragraph };
  });
}

function markLink(kb, citation) {
  return h("a.mark", {
    href: `#note-${citation.marker}`,
    "aria-label": t("openNote", citation),
    onclick: event => { event.preventDefault(); openSource(kb, citation); },
  }, String(citation.marker));
}

/** Whether a value is an answer as the server gives it now. */
export const isAnswer = one => ["html", "text", "query", "model"].every(name => typeof one?.[name] === "string")
  && ["citations", "statements", "hits", "closest"].every(name => Array.isArray(one[name]))
  && ["usage", "timings"].every(name => typeof one[name] === "object");

/** The nodes of a whole answer. */
export function whole(kb, question, answer) {
  const text = h("div.answer");
  showHtml(text, answer.html);
  for (const link of text.querySelectorAll("a.mark")) {
    const citation = answer.citations.find(one => one.marker === Number(link.textContent));
    link.replaceWith(citation ? markLink(kb, citation) : link.textContent);
  }
  for (const outcome of ["unsupported", "contradicted"]) {
    for (const one of text.querySelectorAll(`.${outcome}`)) one.title = t(`${outcome}Mark`);
  }
  if (answer.abstained) {
    return [
      h("div.abstained", {}, h("h3", {}, icon("search"), t("abstainedTitle")), text),
      answer.closest.length ? h("section.notes", {}, h("h3", {}, t("closest")), notes(kb, question, answer.closest)) : null,
      how(kb, answer),
    ].filter(Boolean);
  }
  return [
    text,
    doubts(answer),
    answer.usage.cut ? h("p.warning", {}, icon("warning"), t("cut")) : null,
    answer.citations.length ? h("section.notes", {}, h("h3", {}, t("notes")), notes(kb, question, answer.citations, answer.model !== "extractive")) : null,
    h("div.tools", {}, iconButton("copy", t("copy"), { onclick: () => copy(answer) })),
    how(kb, answer),
  ].filter(Boolean);
}

/** The footnotes: each opens its place, and can be judged. The quotes of an answer that is made of
 * them aren't `quoted` again. */
function notes(kb, question, citations, quoted = true) {
  return h("ol", {}, citations.map(citation => h("li", { value: citation.marker },
    h("button.note", { type: "button", title: t("openNote", citation), onclick: () => openSource(kb, citation) },
      quoted ? h("q", {}, citation.quote) : null,
      h("span.where", {}, [citation.title, place(citation.page)].filter(Boolean).join(", "))),
    h("div.judged", {},
      h("span.support", { title: t("supportHint") }, icon("check"), t("support", { share: percent(citation.support) })),
      thumbs(kb, question, citation)))));
}

/** Two buttons that say whether a span of a document answers the question. */
export function thumbs(kb, question, about) {
  let given = null;
  const judge = guarded(async event => {
    const helpful = event.currentTarget === up;
    const again = given?.helpful === helpful;
    if (given) await remove(of(kb, "feedback", given.id));
    given = again ? null : await post(of(kb, "feedback"), {
      question, document: about.document_id, version: about.version, start: about.start, end: about.end, helpful,
    });
    up.setAttribute("aria-pressed", String(given?.helpful === true));
    down.setAttribute("aria-pressed", String(given?.helpful === false));
    notice(t(given ? "thanks" : "takenBack"));
  });
  const button = (name, words) => iconButton(name, t(words), { "aria-pressed": "false", onclick: judge }, true);
  const up = button("up", "helpful"), down = button("down", "unhelpful");
  return h("span.thumbs", {}, up, down);
}

/** The sentences that have no footnote, and why; nothing where all have. */
function doubts(answer) {
  const doubtful = answer.statements.filter(one => one.outcome !== "verified");
  const removed = answer.usage.unverified;
  if (!doubtful.length && !removed) return null;
  const verified = answer.statements.length - doubtful.length;
  return h("section.doubts", {},
    h("p", {}, icon("warning"), t("checked", { verified, n: answer.statements.length }), removed ? ` ${t("removed", { n: removed })}` : ""),
    h("ul", {}, doubtful.map(one => h(`li.${one.outcome}`, {}, h("strong", {}, `${t(one.outcome)}: `), one.text,
      one.differences.length ? h("span.where", {}, ` (${one.differences.join("; ")})`) : null))));
}

function how(kb, answer) {
  const facts = [
    [t("searchedFor"), answer.query],
    [t("confidence"), percent(answer.confidence)],
    [t("model"), answer.model === "extractive" ? t("extractive") : answer.model],
    [t("took"), t("seconds", { n: Number(answer.timings.total.toFixed(2)) })],
    answer.usage.budget ? [t("budget"), t("budgetOf", { used: answer.usage.prompt_tokens, budget: answer.usage.budget, dropped: answer.usage.dropped })] : null,
  ].filter(Boolean);
  return h("details.how", {}, h("summary", {}, t("how")),
    h("dl", {}, facts.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])),
    answer.hits.length ? [h("h4", {}, t("considered")), h("ol", {}, answer.hits.map(hit => h("li", {},
      h("button.link", { type: "button", title: t("openAt", hit), onclick: () => openSource(kb, hit) },
        [hit.title, ...hit.heading.slice(-1), place(hit.page)].filter(Boolean).join(" › ")))))] : null);
}

/** The answer as plain text, with its footnotes under it. */
function withFootnotes(answer) {
  const lines = answer.citations.map(one =>
    `[${one.marker}] “${one.quote.replace(/\s+/g, " ")}” — ${[one.title, place(one.page)].filter(Boolean).join(", ")}`);
  return [answer.text, ...lines.length ? ["", ...lines] : []].join("\n");
}

async function copy(answer) {
  const text = withFootnotes(answer);
  try {
    if (navigator.clipboard) await navigator.clipboard.writeText(text);
    else copyBySelection(text); // the clipboard's own interface is only there on https and loopback
    notice(t("copied"));
  } catch {
    notice(t("notCopied"), "bad");
  }
}

function copyBySelection(text) {
  const area = h("textarea", { value: text, readOnly: true });
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (!done) throw new Error("refused");
}
