// Questions to begin with, about the sample documents.

import { language } from "./words.js";

const SAMPLES = {
  en: ["How high is the late fee if a payment arrives too late?", "At what oxygen level does the oxygen monitor sound?", "What is the price of one night in the guest flat?", "Does the company pay for a gym membership?"],
  zh: ["增压泵保修几年？", "每年有几天带薪病假，需要医院证明吗？", "运费险由谁承保？", "公司报销健身卡吗？"],
};

/** Those for a knowledge base of that name. */
export const examplesOf = name => ["samples", "footnote-demo"].includes(name) ? SAMPLES[language] : [];
