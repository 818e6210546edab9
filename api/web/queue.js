// What is on its way in: a row a document, from the server's events, also after a reload.

import { follow, remove } from "./api.js";
import { announce, h, icon, iconButton } from "./dom.js";
import { guarded } from "./notices.js";
import { has, moment, percent, t } from "./words.js";

const FINAL = new Set(["done", "failed", "cancelled"]);
const STAGES = ["queued", "parsing", "chunking", "embedding", "writing", "done"];
const SHOWN = 200; // rows; more wait unseen, but counted
const RECENT = 3600; // seconds that a failure is shown after a reload

/** The queue of a knowledge base; `arrived` is called when a document has come in. */
export function showQueue(kb, arrived) {
  const rows = new Map(); // by job id
  let waiting = 0, known = false;
  const list = h("ul");
  const summary = h("p.facts");
  const node = h("section.panel.queue", { hidden: true, "aria-label": t("queue") },
    h("div.heading", {}, h("h2", {}, t("queue")), h("button.link", { type: "button", onclick: clear }, t("queueClear"))), summary, list);

  function clear() {
    const gone = JSON.parse(sessionStorage.getItem("footnote-cleared") ?? "[]");
    for (const [id, row] of rows) {
      if (!FINAL.has(row.job.state)) continue;
      gone.push(id);
      row.node.remove();
      rows.delete(id);
    }
    for (const failed of list.querySelectorAll(".unsent")) failed.remove();
    sessionStorage.setItem("footnote-cleared", JSON.stringify(gone.slice(-1000)));
    recount();
  }

  function recount() {
    const failed = [...rows.values()].filter(row => row.job.state === "failed").length;
    node.hidden = !list.childElementCount;
    summary.textContent = [waiting ? t("queueWaiting", { n: waiting }) : null, failed ? t("queueFailed", { n: failed }) : null].filter(Boolean).join(" · ");
  }

  function count(counts) {
    waiting = Object.entries(counts).reduce((sum, [state, n]) => FINAL.has(state) ? sum : sum + n, 0);
    recount();
  }

  function take(job, fresh) {
    const known = rows.get(job.id);
    if (!known && !fresh && !worthShowing(job)) return;
    const before = known?.job.state;
    if (before === job.state && known.job.done === job.done && known.job.retry_at === job.retry_at) return;
    const row = known ?? { node: h("li") };
    row.job = job;
    rows.set(job.id, row);
    draw(row.node, job);
    if (!known && list.childElementCount < SHOWN) list.prepend(row.node);
    if (job.state === "done" && (known ? before !== "done" : fresh)) arrived();
    if (job.state === "failed" && fresh && before !== "failed") {
      announce(`${job.uri}: ${t("stage_failed")}`);
    }
    recount();
  }

  const stop = follow(`/jobs/events?${new URLSearchParams({ kb })}`, {
    queue: ({ counts, jobs }) => {
      jobs.reverse().forEach(job => take(job, rows.has(job.id)));
      count(counts);
      if (known) arrived(); // what came while nobody looked
      known = true;
    },
    job: job => take(job, true),
    counts: count,
    gone: () => { stop(); location.hash = "#/"; },
  });

  return {
    node,
    close: stop,
    /** A row for a file that is being sent. */
    add(name) {
      const bar = h("progress", { max: 1, value: 0, "aria-label": name });
      const line = h("li.sending", {}, h("span.name", {}, name), h("span.state", {}, t("stage_sending")), bar);
      if (list.childElementCount < SHOWN) list.prepend(line);
      recount();
      return {
        sent: share => { bar.value = share; },
        becomes(job) {
          line.remove();
          if (job) take(job, true);
          recount();
        },
        fail(why, again = null) {
          line.className = "failed unsent";
          const retry = again ? iconButton("replace", t("retry"), { onclick: () => { retry.remove(); line.className = "sending"; again(); } }) : null;
          line.replaceChildren(h("span.name", {}, icon("warning"), name), h("span.state", {}, t("stage_failed")), h("p.reason", {}, why), ...retry ? [retry] : []);
          if (!line.isConnected) list.prepend(line);
          recount();
        },
      };
    },
  };
}

function worthShowing(job) {
  if (!FINAL.has(job.state)) return true;
  const cleared = JSON.parse(sessionStorage.getItem("footnote-cleared") ?? "[]");
  return job.state === "failed" && Date.now() / 1000 - job.updated_at < RECENT && !cleared.includes(job.id);
}

function draw(node, job) {
  const final = FINAL.has(job.state);
  node.className = job.state;
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
  node.replaceChildren(...parts);
}
