// What is on its way in: a row a document, from the server's events, also after a reload.

import { follow, get, of, remove } from "./api.js";
import { announce, gathered, h, icon, iconButton, keepingFocus } from "./dom.js";
import { keep, recall } from "./kept.js";
import { guarded, notice } from "./notices.js";
import { outbox } from "./uploads.js";
import { has, moment, percent, t } from "./words.js";

const FINAL = new Set(["done", "failed", "cancelled"]);
const STAGES = ["queued", "parsing", "chunking", "embedding", "writing", "done"];
const SHOWN = 200; // rows; more wait unseen, but counted
const RECENT = 3600; // seconds that a failure is shown after a reload
const DRAWN = 100; // milliseconds between two drawings
const CLEARED = ["sessionStorage", "cleared", Array.isArray, []];

/** The queue of a knowledge base; `arrived` is called when documents have come in. */
export function showQueue(kb, arrived) {
  const rows = new Map(); // by the id of a job, or the entry of a file that is being sent
  const sent = outbox(kb);
  let waiting = 0, connected = false;
  const list = h("ul");
  const summary = h("p.facts");
  const again = h("button.link", { type: "button", hidden: true, onclick: () => sent.again() }, t("retryAll"));
  const node = h("section.panel.queue", { hidden: true, "aria-label": t("queue") },
    h("div.heading", {}, h("h2", {}, t("queue")), h("button.link", { type: "button", onclick: clear }, t("queueClear"))), summary, again, list);
  const later = gathered(() => keepingFocus(list, draw), DRAWN);

  /** The rows that matter most, as many as fit: what failed, what is at work, what waits, what is done. */
  function draw() {
    const ordered = [...rows.entries()].sort(([, one], [, other]) => one.rank - other.rank);
    for (const [key, row] of ordered.slice(SHOWN)) if (row.rank === DONE) rows.delete(key);
    const shown = ordered.slice(0, SHOWN).map(([, row]) => row.node);
    const wanted = new Set(shown);
    for (const child of [...list.children]) if (!wanted.has(child)) child.remove();
    shown.forEach((child, index) => {
      if (list.children[index] !== child) list.insertBefore(child, list.children[index] ?? null);
    });
    const failed = ordered.filter(([, row]) => row.rank === FAILED).length;
    summary.textContent = [waiting ? t("queueWaiting", { n: waiting }) : null, failed ? t("queueFailed", { n: failed }) : null].filter(Boolean).join(" · ");
    again.hidden = [...sent.entries].filter(one => one.state === "failed").length < 2;
    node.hidden = !rows.size;
  }

  function put(key, rank, fill) {
    const row = rows.get(key) ?? { node: h("li") };
    rows.set(key, Object.assign(row, { rank }));
    fill(row.node);
    later();
    return row;
  }

  function clear() {
    const gone = [...recall(...CLEARED)];
    for (const [key, { job }] of rows) {
      if (!job || !FINAL.has(job.state)) continue;
      gone.push(key);
      rows.delete(key);
    }
    keep("sessionStorage", "cleared", gone.slice(-1000));
    sent.clear();
    for (const key of rows.keys()) if (key.file && !sent.entries.has(key)) rows.delete(key);
    draw();
  }

  function takeJob(job, fresh) {
    const before = rows.get(job.id)?.job;
    if (!before && !fresh && !worthShowing(job)) return;
    if (before?.state === job.state && before.done === job.done && before.retry_at === job.retry_at) return;
    put(job.id, rankOf(job), line => drawJob(line, job)).job = job;
    if (job.state === before?.state) return;
    if (job.state === "done" && (before || fresh)) arrived();
    if (job.state === "failed" && fresh) announce(`${job.uri}: ${t("stage_failed")}`);
  }

  function takeFile(entry, job) {
    if (job === undefined) return put(entry, entry.reason ? FAILED : SENDING, line => drawFile(line, entry, sent));
    rows.delete(entry);
    if (job) takeJob(job, true);
    later();
  }

  function count(counts) {
    waiting = Object.entries(counts).reduce((sum, [state, n]) => FINAL.has(state) ? sum : sum + n, 0);
    later();
  }

  sent.entries.forEach(entry => takeFile(entry));
  sent.listener = takeFile;
  const stop = follow(`/jobs/events?${new URLSearchParams({ kb })}`, {
    queue: ({ counts, jobs }) => {
      const told = new Set(jobs.map(job => job.id));
      // What isn't among them may have ended while nobody listened.
      for (const [key, { job }] of rows) if (job && !FINAL.has(job.state) && !told.has(key)) rows.delete(key);
      jobs.reverse().forEach(job => takeJob(job, rows.has(job.id)));
      count(counts);
      if (connected) arrived();
      connected = true;
    },
    job: job => takeJob(job, true),
    counts: count,
    gone,
    lost: () => get(of(kb)).catch(error => { if (error.status === 404) gone(); }),
  });

  function gone() {
    stop();
    notice(t("kbMissing", { name: kb }), "bad");
    location.replace("#/");
  }

  return {
    node,
    close() {
      stop();
      sent.listener = null;
    },
  };
}

const FAILED = 0, SENDING = 1, WORKING = 2, WAITING = 3, DONE = 4;

function rankOf(job) {
  if (job.state === "failed") return FAILED;
  if (FINAL.has(job.state)) return DONE;
  return job.state === "queued" ? WAITING : WORKING;
}

function worthShowing(job) {
  if (!FINAL.has(job.state)) return true;
  return job.state === "failed" && Date.now() / 1000 - job.updated_at < RECENT && !recall(...CLEARED).includes(job.id);
}

function drawFile(line, entry, sent) {
  line.className = entry.reason ? "failed" : "sending";
  if (!entry.reason) {
    line.replaceChildren(h("span.name", {}, entry.name), h("span.state", {}, t("stage_sending")),
      h("progress", { max: 1, value: entry.share, "aria-label": entry.name }));
    return;
  }
  const retry = iconButton("replace", `${t("retry")}: ${entry.name}`, { hidden: entry.state === "refused", onclick: () => sent.again(entry) }, true);
  line.replaceChildren(h("span.name", {}, icon("warning"), entry.name), h("span.state", {}, t("stage_failed")), h("p.reason", {}, entry.reason), retry);
}

function drawJob(line, job) {
  const final = FINAL.has(job.state);
  line.className = job.state;
  const words = job.state === "done" && has(`outcome_${job.outcome}`) ? t(`outcome_${job.outcome}`) : t(`stage_${job.state}`, job);
  const parts = [
    h("span.name", {}, job.state === "failed" ? icon("warning") : job.state === "done" ? icon("check") : null, job.uri),
    h("span.state", {}, words),
  ];
  if (!final) {
    const at = STAGES.indexOf(job.state) + (job.state === "embedding" && job.total ? job.done / job.total : 0);
    parts.push(h("progress", { max: STAGES.length - 1, value: at, "aria-label": `${job.uri}: ${percent(at / (STAGES.length - 1))}` }),
      iconButton("close", t("stop", job), { onclick: guarded(() => remove(`/jobs/${job.id}`)) }, true));
  }
  if (job.error) {
    const kind = `error_${job.error.kind}`;
    parts.push(h("p.reason", {}, has(kind) ? `${t(kind)} ` : null, h("span", { lang: "en" }, job.error.message),
      job.retry_at ? h("span", {}, ` (${t("retryAt", { when: moment(job.retry_at) })})`) : null));
  }
  line.replaceChildren(...parts);
}
