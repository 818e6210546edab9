// Ask: a conversation, its answers with footnotes.

import { ask, whole } from "./answer.js";
import { h, icon, iconButton } from "./dom.js";
import { t } from "./words.js";
import { EXAMPLES } from "./examples.js";

const TURNS = 10; // of the conversation that go with a question
const SHOWN = 30; // that are kept for a reload

export function askView(kb) {
  if (!kb.documents) {
    const to = `#/${encodeURIComponent(kb.name)}/documents`;
    return { title: t("askTitle"), nodes: [h("h1", {}, t("askTitle")), h("section.empty", {},
      h("h2", {}, t("askNoDocuments")), h("p", {}, t("askNoDocumentsText")),
      h("a.button.primary", { href: to }, t("askAdd")))] };
  }
  const key = `footnote-conversation-${kb.name}-${kb.created_at}`;
  let turns = kept(key);
  let running = null;

  const thread = h("div.thread", {}, turns.map(turn => exchange(kb, turn.question, whole(kb.name, turn.question, turn.answer))));
  const empty = h("section.empty", { hidden: turns.length > 0 }, h("h2", {}, t("askEmpty")), h("p", {}, t("askEmptyText")), examples(kb, put));
  const question = h("textarea", { rows: 1, "aria-label": t("askLabel"), placeholder: t("askPlaceholder"), maxLength: 10000, required: true });
  const send = h("button.primary", {}, icon("ask"), h("span", {}, t("askSend")));
  const stop = iconButton("stop", t("askStop"), { hidden: true, onclick: () => running?.abort() });
  const anew = iconButton("plus", t("askNew"), { hidden: !turns.length, onclick: () => {
    running?.abort();
    turns = [];
    sessionStorage.removeItem(key);
    thread.replaceChildren();
    empty.hidden = false;
    anew.hidden = true;
    question.focus();
  } });

  function put(words) {
    question.value = words;
    submit();
  }

  async function submit() {
    const words = question.value.trim();
    if (!words || running) return;
    question.value = "";
    grow();
    running = new AbortController();
    empty.hidden = true;
    send.hidden = true;
    stop.hidden = anew.hidden = false;
    const box = h("div");
    const shown = exchange(kb, words, [box]);
    thread.append(shown);
    shown.scrollIntoView({ block: "start", behavior: "smooth" });
    const answer = await ask(kb.name, words, history(turns), box, running.signal);
    running = null;
    send.hidden = false;
    stop.hidden = true;
    if (!answer) {
      question.value ||= words;
      return;
    }
    turns = [...turns, { question: words, answer }].slice(-SHOWN);
    keep(key, turns);
    question.focus({ preventScroll: true });
  }

  function grow() {
    question.style.height = "auto";
    question.style.height = `${Math.min(question.scrollHeight + 2, 200)}px`;
  }
  question.addEventListener("input", grow);
  question.addEventListener("keydown", event => {
    // While an input method composes, Enter takes its suggestion and sends nothing.
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      submit();
    }
  });

  const composer = h("form.composer", { onsubmit: event => { event.preventDefault(); submit(); } },
    question, h("div.actions", {}, anew, stop, send));
  return {
    title: t("askTitle"),
    nodes: [h("h1.unseen", {}, t("askTitle")), empty, thread, composer],
    leave: () => running?.abort(),
  };
}

function exchange(kb, question, nodes) {
  return h("article.exchange", {}, h("h2.question", {}, h("span.unseen", {}, `${t("you")}: `), question), nodes);
}

function examples(kb, put) {
  const known = EXAMPLES[kb.name];
  if (!known) return null;
  return h("div.examples", {}, h("h3", {}, t("askTry")),
    known.map(words => h("button", { type: "button", onclick: () => put(words) }, words)));
}

function history(turns) {
  return turns.slice(-TURNS).flatMap(({ question, answer }) => [
    { role: "user", content: question }, { role: "assistant", content: answer.text },
  ]);
}

function kept(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key)) ?? [];
  } catch {
    return [];
  }
}

function keep(key, turns) {
  try {
    sessionStorage.setItem(key, JSON.stringify(turns));
  } catch {
    sessionStorage.removeItem(key); // the browser's room for it is used up: only a reload would show it
  }
}
