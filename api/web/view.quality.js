// Quality: the last evaluation of this knowledge base, and how to run another.

import { get, of, post, remove } from "./api.js";
import { announce, field, h, iconButton } from "./dom.js";
import { guarded } from "./notices.js";
import { ago, count, has, percent, t } from "./words.js";

const LOOK = 700; // milliseconds between two looks at a measurement
const RUNNING = new Set(["waiting", "measuring"]);

export async function view(kb) {
  const path = of(kb.name, "evaluation");
  const [found, feedback] = await Promise.all([get(path), get(of(kb.name, "feedback"))]);
  const body = h("div");
  const form = runForm(kb, feedback.total, begun => follow(begun));
  let left = false;

  function show(evaluation) {
    body.replaceChildren(...evaluation.result ? results(kb, evaluation.result) : [
      h("section.empty", {}, h("h2", {}, t("qualityNone")), h("p", {}, t("qualityNoneText")))]);
    if (evaluation.state === "failed") body.prepend(h("p.warning", { role: "alert" }, t("qualityFailed", { detail: evaluation.error })));
  }

  async function follow(evaluation) {
    form.inert = true;
    const bar = h("progress", { max: 1, value: 0, "aria-label": t("qualityRun") });
    const step = h("p.state");
    const progress = h("div.panel", {}, step, bar);
    body.prepend(progress);
    while (RUNNING.has(evaluation.state) && !left) {
      const named = has(`qualityStep_${evaluation.step}`) ? t(`qualityStep_${evaluation.step}`) : evaluation.step;
      step.textContent = t("qualityRunning", { step: named || "…" }) + (evaluation.total ? ` ${count(evaluation.done)} / ${count(evaluation.total)}` : "");
      if (evaluation.total) bar.value = evaluation.done / evaluation.total;
      else bar.removeAttribute("value");
      await new Promise(resolve => setTimeout(resolve, LOOK));
      evaluation = await get(path).catch(error => {
        if (error.status === 0) return evaluation; // a server that starts again says how it ended
        throw error;
      });
    }
    if (left) return;
    progress.remove();
    form.inert = false;
    show(evaluation);
    announce(evaluation.state === "done" ? t("qualityLast", { n: evaluation.result.questions, documents: evaluation.result.documents, when: ago(evaluation.result.made_at) }) : evaluation.error);
  }

  show(found);
  if (RUNNING.has(found.state)) follow(found);
  return {
    title: t("qualityTitle"),
    nodes: [h("h1", {}, t("qualityTitle")), h("p.lead", {}, t("qualityLead")), form, body, index(kb), opinions(kb, feedback), benchmarks()],
    leave: () => { left = true; },
  };
}

function runForm(kb, judged, begun) {
  const by = h("select", {}, h("option", { value: "generated" }, t("source_generated")),
    h("option", { value: "feedback", disabled: !judged }, t("source_feedback", { n: judged })));
  const most = h("input", { type: "number", min: 1, max: 2000, value: 200, required: true });
  const run = guarded(async () => {
    begun(await post(of(kb.name, "evaluation"), { source: by.value, ...by.value === "generated" ? { count: Number(most.value) } : {} }));
  });
  return h("form.panel.row", { onsubmit: run }, field(t("qualityBy"), by), field(t("qualityCount"), most),
    h("button.primary", { disabled: !kb.documents }, t("qualityRun")));
}

function results(kb, result) {
  const metrics = Object.keys(result.runs[0]?.metrics ?? {});
  return [h("section.panel", {},
    h("p.facts", {}, t("qualityLast", { n: result.questions, documents: result.documents, when: ago(result.made_at) }), ` · ${t(`source_${result.source}`, { n: result.questions })}`),
    result.note ? h("p.hint", {}, result.note) : null,
    h("div.scroll", { tabIndex: 0, role: "region", "aria-label": t("qualityTitle") }, h("table.figures", {},
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, t("qualityRunName")), metrics.map(name => h("th", { scope: "col" }, name)))),
      h("tbody", {}, result.runs.map(run => h("tr", {}, h("th", { scope: "row" }, run.name), metrics.map(name => h("td", {}, figure(run.metrics[name])))))))),
    result.comparisons.length ? [h("h3", {}, t("qualityCompared")), h("ul", {}, result.comparisons.map(one => h("li", {}, compared(one))))] : null,
    h("p", {}, h("a", { href: of(kb.name, "evaluation", "report"), target: "_blank", rel: "noopener" }, t("qualityReport"))))];
}

/** A mean, and its interval as a bar on a scale from 0 to 1. */
function figure({ mean, low, high }) {
  const bar = h("span.interval"), dot = h("span.dot");
  bar.style.left = percentage(low);
  bar.style.width = percentage(high - low);
  dot.style.left = percentage(mean);
  const words = t("qualityInterval", { mean: mean.toFixed(3), low: low.toFixed(3), high: high.toFixed(3) });
  return h("div.figure", { title: words }, h("span", { "aria-hidden": "true" }, mean.toFixed(3)), h("span.unseen", {}, words),
    h("span.scale", { "aria-hidden": "true" }, bar, dot),
    h("span.hint", { "aria-hidden": "true" }, `${low.toFixed(2)}–${high.toFixed(2)}`));
}

const percentage = share => `${100 * Math.min(Math.max(share, 0), 1)}%`;
const signed = number => (number > 0 ? "+" : "") + number.toFixed(3);

function compared(one) {
  return t("qualityDifference", {
    name: one.name, baseline: one.baseline, metric: one.metric, difference: signed(one.difference.mean),
    low: signed(one.difference.low), high: signed(one.difference.high), p: one.p < 0.001 ? "< 0.001" : one.p.toFixed(3),
  });
}

function index(kb) {
  const { recall } = kb.index, { calibration } = kb;
  const weight = calibration ? `${percent(calibration.weight)} · ${t("indexMeasured", { n: calibration.tuned.questions })}` : t("indexDefault");
  return h("section.panel", {}, h("h2", {}, t("indexTitle")), h("dl", {},
    h("dt", {}, t("indexRecall")), h("dd", {}, recall === null ? t("indexUnknown") : percent(recall)),
    h("dt", {}, t("indexWeight")), h("dd", {}, weight)));
}

function opinions(kb, { total, feedback }) {
  const list = h("ul.opinions", {}, feedback.map(one => {
    const line = h("li", {}, h("span", { role: "img", "aria-label": t(one.helpful ? "helpful" : "unhelpful") }, one.helpful ? "👍" : "👎"),
      h("span", {}, one.question), h("span.facts", {}, one.uri),
      iconButton("close", t("feedbackDelete"), { onclick: guarded(async () => {
        await remove(of(kb.name, "feedback", one.id));
        line.remove();
        none.hidden = list.childElementCount > 0;
      }) }, true));
    return line;
  }));
  const none = h("p.hint", { hidden: total > 0 }, t("feedbackNone"));
  return h("section.panel", {}, h("h2", {}, t("feedbackTitle")), list, none);
}

const benchmarks = () => h("section.panel", {}, h("h2", {}, t("benchTitle")), h("p.hint", {}, t("benchText")));
