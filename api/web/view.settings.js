// Settings of a knowledge base, its facts, and its end.

import { get, of, put, remove } from "./api.js";
import { field, h } from "./dom.js";
import { formDialog } from "./dialogs.js";
import { guarded, notice } from "./notices.js";
import { count, moment, t } from "./words.js";

export async function view(kb) {
  const info = await get("/info");
  const description = h("input", { type: "text", maxLength: 2000, defaultValue: kb.description });
  const chat = h("input", { type: "text", maxLength: 300, defaultValue: kb.chat_model, placeholder: info.answerer, autocomplete: "off" });
  const prompt = h("textarea", { rows: 4, defaultValue: kb.system_prompt });
  const least = h("input", { type: "number", min: 0, max: 1, step: "any", defaultValue: kb.min_confidence ?? "" });
  const shown = { description, chat_model: chat, system_prompt: prompt, min_confidence: least };
  const save = guarded(async () => {
    const { chunking, fusion, dense_weight, ...now } = await get(of(kb.name));
    const settings = { chunking, fusion, dense_weight };
    // What wasn't changed here may have been elsewhere.
    for (const [name, input] of Object.entries(shown)) settings[name] = input.value === input.defaultValue ? now[name] : input.value.trim();
    if (settings.min_confidence !== now.min_confidence) settings.min_confidence = least.value === "" ? null : Number(least.value);
    await put(of(kb.name), settings);
    for (const input of Object.values(shown)) input.defaultValue = input.value;
    notice(t("settingsSaved"));
  });
  return {
    title: t("settings"),
    nodes: [
      h("h1", {}, t("settings")),
      h("form.panel", { onsubmit: save },
        field(t("settingsDescription"), description),
        info.ollama ? [field(t("settingsChat"), chat, t("settingsChatHint")), field(t("settingsPrompt"), prompt)] : null,
        field(t("settingsConfidence"), least, t("settingsConfidenceHint", { least: info.min_confidence })),
        h("div.actions", {}, h("button.primary", {}, t("settingsSave")))),
      facts(kb, info), end(kb),
    ],
  };
}

function facts(kb, info) {
  const tokens = kb.chunking.tokens ? count(kb.chunking.tokens) : `${t("settingsWindow")} ${count(Math.min(512, info.embedder.window))}`;
  const all = [
    [t("documents"), `${t("kbDocuments", { n: kb.documents })} · ${t("kbChunks", { n: kb.chunks })}`],
    [t("kbModel"), kb.embedding_model],
    [t("settingsChunking"), t("settingsChunkingOf", { tokens, overlap: kb.chunking.overlap })],
    ["Footnote", info.version],
    ["", t("kbMade", { when: moment(kb.created_at) })],
  ];
  return h("section.panel", {}, h("h2", {}, t("settingsFacts")), h("dl", {}, all.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])));
}

function end(kb) {
  const ask = () => {
    const name = h("input", { type: "text", autocomplete: "off", spellcheck: false });
    formDialog(t("settingsDelete"), [h("p", {}, t("settingsDeleteText", { n: kb.documents, name: kb.name })), field(t("settingsDeleteType"), name)], {
      yes: t("docDelete", { title: kb.name }), danger: true, ready: () => name.value === kb.name,
      accept: async () => {
        await remove(of(kb.name));
        notice(t("settingsDeleted", { name: kb.name }));
        location.replace("#/");
      },
    });
  };
  return h("section.panel.end", {}, h("h2", {}, t("settingsDelete")), h("button.danger", { type: "button", onclick: ask }, t("settingsDelete")));
}
