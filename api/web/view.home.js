// All knowledge bases, and how to begin.

import { create, get, of, post } from "./api.js";
import { field, h, icon } from "./dom.js";
import { guarded, notice } from "./notices.js";
import { ago, t } from "./words.js";

const SAMPLES = "samples";

export function view(all) {
  const nodes = [h("h1", {}, t("kbTitle")), h("p.lead", {}, t("kbLead"))];
  if (!all.length) nodes.push(first());
  const cards = new Map(all.map(kb => [kb.name, card(kb)]));
  nodes.push(h("ul.cards", {}, [...cards.values()].map(one => h("li", {}, one))), creation());
  if (all.length) warn(cards);
  return { title: t("kbTitle"), nodes };
}

/** Say of which knowledge bases another model made the vectors. */
async function warn(cards) {
  const { built_with_another_model: refused = [] } = await get("/ready");
  for (const name of refused) cards.get(name)?.append(h("p.warning", {}, icon("warning"), t("refused", { name })));
}

function first() {
  return h("section.empty", {}, h("h2", {}, t("kbNone")), h("p", {}, t("kbNoneText")),
    h("button.primary", { type: "button", onclick: guarded(loadSamples) }, t("kbSamples")));
}

async function loadSamples() {
  await create(of(SAMPLES), { description: t("kbSamplesText") });
  await post(of(SAMPLES, "samples"));
  location.hash = `#/${SAMPLES}/documents`;
}

function card(kb) {
  const to = kb.documents ? "ask" : "documents";
  return h("a.card", { href: `#/${encodeURIComponent(kb.name)}/${to}` },
    h("h2", {}, kb.name),
    kb.description ? h("p", {}, kb.description) : null,
    h("p.facts", {}, [t("kbDocuments", { n: kb.documents }), t("kbChunks", { n: kb.chunks }), kb.embedding_model, t("kbMade", { when: ago(kb.created_at) })].join(" · ")));
}

function creation() {
  const name = h("input", {
    type: "text", required: true, maxLength: 64, autocomplete: "off", spellcheck: false,
    pattern: "[a-z0-9]([a-z0-9._\\-]*[a-z0-9])?",
  });
  const description = h("input", { type: "text", maxLength: 2000, autocomplete: "off" });
  const made = guarded(async () => {
    try {
      await create(of(name.value), { description: description.value.trim() });
    } catch (error) {
      if (error.status !== 412) throw error;
      return notice(t("kbExists"), "bad");
    }
    location.hash = `#/${encodeURIComponent(name.value)}/documents`;
  });
  return h("form.panel", { onsubmit: made }, h("h2", {}, t("kbNew")),
    field(t("kbName"), name, t("kbNameHint")), field(t("kbDescription"), description),
    h("div.actions", {}, h("button.primary", {}, t("kbCreate"))));
}
