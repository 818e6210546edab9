// Ask: a conversation, its answers with footnotes.

import { ask, isAnswer, whole } from "./answer.js";
import { get, of } from "./api.js";
import { h, icon, iconButton } from "./dom.js";
import { examplesOf } from "./examples.js";
import { forget, keep, recall } from "./kept.js";
import { t } from "./words.js";

const TURNS = 10; // of the conversation that go with a question
const SHOWN = 30; // that are kept for a reload
const LOOK = 3000; // milliseconds between two looks whether there is something to ask by now

export function view(kb) {
  if (!kb.documents) {
    return nothingToAsk(kb);
  }
  const key = `conversation-${kb.name}-${kb.created_at}`;
  let { draft, turns } = recall("sessionStorage", key, isConversation, { draft: "", turns: [] });
  let running = null;
  const remember = () => keep("sessionStorage", key, { draft, turns });

  const thread = h("div.thread", {}, turns.map(turn => exchange(kb, turn.question, whole(kb.name, turn.question, turn.answer))));
  const empty = h("section.empty", { hidden: turns.length > 0 }, h("h2", {}, t("askEmpty")), h("p", {}, t("askEmptyText")), examples(kb, put));
  const question = h("textarea", { rows: 1, value: draft, "aria-label": t("askLabel"), placeholder: t("askPlaceholder"), maxLength: 10000, required: true });
  const send = h("button.primary", {}, icon("ask"), h("span", {}, t("askSend")));
  const stop = iconButton("stop", t("askStop"), { hidden: true, onclick: () => running?.abort() });
  const anew = iconButton("plus", t("askNew"), { hidden: !turns.length, onclick: () => {
    running?.abort();
    running = null;
    turns = [];
    draft = question.value = "";
    forget("sessionStorage", key);
    grow();
    working(false);
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
    draft = words; // until it is answered
    remember();
    question.value = "";
    grow();
    const mine = running = new AbortController();
    empty.hidden = true;
    anew.hidden = false;
    working(true);
    const box = h("div");
    const shown = exchange(kb, words, [box]);
    thread.append(shown);
    shown.scrollIntoView({ block: "start" });
    const answer = await ask(kb.name, words, history(turns), box, mine.signal);
    if (running !== mine) return; // another conversation has begun
    running = null;
    working(false);
    if (answer) {
      turns = [...turns, { question: words, answer }].slice(-SHOWN);
      draft = question.value;
      remember();
    } else {
      question.value ||= words;
      grow();
    }
  }

  /** Ask and Stop take each other's place, and the focus with it. */
  function working(now) {
    const [comes, goes] = now ? [stop, send] : [send, stop];
    const focused = document.activeElement === goes;
    comes.hidden = false;
    goes.hidden = true;
    if (focused) (now ? stop : question).focus({ preventScroll: true });
  }

  function grow() {
    question.style.height = "auto";
    question.style.height = `${Math.min(question.scrollHeight + 2, 200)}px`;
  }
  if (draft) requestAnimationFrame(grow); // once it is in its place
  question.addEventListener("input", () => {
    grow();
    draft = question.value;
    remember();
  });
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
    leave: () => { running?.abort(); running = null; },
  };
}

/** Before there are documents; the view changes once there is one. */
function nothingToAsk(kb) {
  const timer = setInterval(async () => {
    const now = await get(of(kb.name)).catch(() => kb);
    if (now.documents) dispatchEvent(new Event("hashchange"));
  }, LOOK);
  return {
    title: t("askTitle"),
    nodes: [h("h1", {}, t("askTitle")), h("section.empty", {},
      h("h2", {}, t("askNoDocuments")), h("p", {}, t("askNoDocumentsText")),
      h("a.button.primary", { href: `#/${encodeURIComponent(kb.name)}/documents` }, t("askAdd")))],
    leave: () => clearInterval(timer),
  };
}

function exchange(kb, question, nodes) {
  return h("article.exchange", {}, h("h2.question", {}, h("span.unseen", {}, `${t("you")}: `), question), nodes);
}

function examples(kb, put) {
  const known = examplesOf(kb.name);
  if (!known.length) return null;
  return h("div.examples", {}, h("h3", {}, t("askTry")),
    known.map(words => h("button", { type: "button", onclick: () => put(words) }, words)));
}

function history(turns) {
  return turns.slice(-TURNS).flatMap(({ question, answer }) => [
    { role: "user", content: question }, { role: "assistant", content: answer.text },
  ]);
}

const isConversation = kept => typeof kept?.draft === "string" && Array.isArray(kept.turns)
  && kept.turns.every(turn => typeof turn?.question === "string" && isAnswer(turn.answer));
