// The page's words, in the reader's language.

import { keep, recall } from "./kept.js";
import { en } from "./words.en.js";
import { zh } from "./words.zh.js";

const LANGUAGES = { en, zh };

const wished = recall("localStorage", "language", one => Object.hasOwn(LANGUAGES, one), null) ?? navigator.languages.find(one => /^(en|zh)\b/i.test(one)) ?? "en";

/** "en" or "zh": what the reader chose, else the first that the browser asks for. */
export const language = wished.toLowerCase().startsWith("zh") ? "zh" : "en";
export const locale = language === "zh" ? "zh-CN" : "en-GB";
const words = LANGUAGES[language];

/** What is made when it is first asked for: a browser takes its time to make these. */
function lazy(make) {
  let made;
  return () => made ??= make();
}

const plurals = lazy(() => new Intl.PluralRules(locale));
const numbers = lazy(() => new Intl.NumberFormat(locale));
const percents = lazy(() => new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 0 }));
const moments = lazy(() => new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" }));

/** The words of that name, with `{values}` put in; of a plural, those that fit `n`. */
export function t(name, values = {}) {
  let found = words[name];
  if (found === undefined) throw new Error(`There are no words for ${name}.`);
  if (typeof found === "object") found = found[plurals().select(values.n)] ?? found.other;
  return found.replace(/\{(\w+)\}/g, (_, value) => {
    const given = values[value];
    return typeof given === "number" ? numbers().format(given) : given;
  });
}

/** Whether there are words of that name. */
export const has = name => Object.hasOwn(words, name);

export const percent = share => percents().format(share);
export const moment = seconds => moments().format(new Date(seconds * 1000));
export const count = number => numbers().format(number);

/** How long ago, in words. */
export function ago(seconds) {
  const spans = [["day", 86400], ["hour", 3600], ["minute", 60]];
  const since = Date.now() / 1000 - seconds;
  const [unit, length] = spans.find(([, length]) => since >= length) ?? ["second", 1];
  return new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(-Math.max(0, Math.floor(since / length)), unit);
}

/** Bytes as people say them. */
export function size(bytes) {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"];
  const step = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(bytes, 1)) / 3));
  return new Intl.NumberFormat(locale, { style: "unit", unit: units[step], unitDisplay: "short", maximumFractionDigits: step ? 1 : 0 })
    .format(bytes / 1000 ** step);
}

/** The label of a page: "page 3", or what isn't a page by its own name. */
export const place = label => !label ? "" : /^[\divxlcdm-]+$/i.test(label) ? t("page", { label }) : label;

/** Change the language; the page is loaded again. */
export function choose(other) {
  keep("localStorage", "language", other);
  location.reload();
}
