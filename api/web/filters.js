// Conditions on metadata, a row each, all of which must hold.

import { debounced, h, icon, iconButton, uniqueId } from "./dom.js";
import { t } from "./words.js";

const OPERATORS = ["eq", "ne", "gte", "lte", "in", "exists"];
const BUILT_IN = ["title", "uri", "media_type"];

/** Rows of conditions; `value()` is the filter that the server takes, `changed` is called with it. */
export function filterRows(documents, changed) {
  const keys = [...new Set([...BUILT_IN, ...documents.flatMap(one => Object.keys(one.metadata))])];
  const rows = h("div.rows");
  const conditions = new Map();
  const soon = debounced(changed, 300);

  function add() {
    const known = uniqueId("values");
    const name = h("select", { "aria-label": t("filterField") }, keys.map(key => h("option", {}, key)));
    const operator = h("select", { "aria-label": t("filterOperator") }, OPERATORS.map(one => h("option", { value: one }, t(`op_${one}`))));
    const value = h("input", { type: "text", "aria-label": t("filterValue"), list: known, autocomplete: "off" });
    const values = h("datalist", { id: known });
    const row = h("div.row", {}, name, operator, value, values, iconButton("close", t("filterRemove"), { onclick: () => {
      conditions.delete(row);
      row.remove();
      changed();
    } }, true));
    const suggest = () => {
      const all = documents.flatMap(one => BUILT_IN.includes(name.value) ? one[name.value] : Object.hasOwn(one.metadata, name.value) ? one.metadata[name.value] : []);
      values.replaceChildren(...[...new Set(all.map(String))].slice(0, 50).map(one => h("option", { value: one })));
      value.hidden = operator.value === "exists";
    };
    row.addEventListener("input", () => { suggest(); soon(); });
    suggest();
    conditions.set(row, () => condition(name.value, operator.value, value.value.trim()));
    rows.append(row);
    name.focus();
  }

  return {
    node: h("div.filters", {}, rows, h("button.link", { type: "button", onclick: add }, icon("plus"), t("filterAdd"))),
    value: () => {
      const all = [...conditions.values()].map(read => read()).filter(Boolean);
      return all.length > 1 ? { $and: all } : all[0] ?? {};
    },
  };
}

function condition(name, operator, text) {
  if (operator === "exists") return { [name]: { $exists: true } };
  if (!text) return null;
  const parts = operator === "in" ? text.split(/[,，、]/).map(one => one.trim()) : [text];
  const values = parts.flatMap(one => meanings(name, one));
  if (operator === "ne") return { [name]: { $nin: values } };
  if (operator === "eq" || operator === "in") return { [name]: { $in: values } };
  return { [name]: { [`$${operator}`]: values.at(-1) } };
}

/** What was typed: a text, and a number or a truth where it may be one. */
function meanings(name, text) {
  if (BUILT_IN.includes(name)) return [text];
  if (text === "true" || text === "false") return [text, text === "true"];
  const number = Number(text);
  return text && Number.isFinite(number) ? [text, number] : [text];
}
