// The one place where markup of the server becomes elements: answers, which it has cleaned.

const policy = window.trustedTypes?.createPolicy("footnote-answers", { createHTML: html => html });

/** Show an answer's HTML, as `POST /kb/{kb}/ask` with `html` gives it, in an element. */
export function showHtml(element, html) {
  element.innerHTML = policy ? policy.createHTML(html) : html;
}
