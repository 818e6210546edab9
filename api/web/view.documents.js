// Documents: add them, see them being read, find, replace, delete.

import { get, of, post, remove } from "./api.js";
import { debounced, field, gathered, h, icon, iconButton, keepingFocus } from "./dom.js";
import { confirmDialog, formDialog, readDialog } from "./dialogs.js";
import { filesOf, isVisible } from "./dropped.js";
import { failure, guarded, notice } from "./notices.js";
import { showQueue } from "./queue.js";
import { openSource } from "./source.js";
import { outbox } from "./uploads.js";
import { ago, moment, size, t } from "./words.js";

const PAGE = 50;
const MOST = 1000; // that the server lists at once
const COLUMNS = [["title", "docTitleColumn"], ["updated_at", "docChanged"], ["size", "docSize"]];

export async function view(kb) {
  const info = await get("/info");
  let sort = "-updated_at", shown = 0, turn = 0;
  const table = h("tbody");
  const more = h("button", { type: "button", hidden: true, onclick: guarded(() => load(shown)) }, t("docMore"));
  const counted = h("p.facts");
  const listing = h("section", { hidden: true });
  const empty = h("section.empty", { hidden: true }, h("h2", {}, t("docEmpty")), h("p", {}, t("docEmptyText")));
  const search = h("input", { type: "search", "aria-label": t("docSearch"), placeholder: t("docSearch"), autocomplete: "off" });
  const queue = showQueue(kb.name, () => reload());
  const limit = info.limits.upload_bytes;
  const send = files => outbox(kb.name).add(files.filter(({ name }) => isVisible(name)), limit);

  async function load(offset, most = PAGE) {
    const mine = ++turn;
    const query = new URLSearchParams({ limit: most, offset, sort, search: search.value.trim() });
    const found = await get(`${of(kb.name, "documents")}?${query}`);
    if (mine !== turn) return; // something else has been asked for meanwhile
    const rows = found.documents.map(one => row(kb.name, one, { limit, removed }));
    if (offset) table.append(...rows);
    else keepingFocus(table, () => table.replaceChildren(...rows));
    shown = offset + rows.length;
    more.hidden = shown >= found.total;
    counted.textContent = found.total ? t("docShown", { shown, n: found.total }) : t("docNone");
    const none = !found.total && !search.value.trim();
    listing.hidden = none;
    empty.hidden = !none;
  }

  const reload = gathered(() => {
    changed();
    load(0, Math.min(Math.max(shown, PAGE), MOST)).catch(error => notice(failure(error), "bad"));
  }, 300);

  function removed(line) {
    const next = line.nextElementSibling ?? line.previousElementSibling;
    line.remove();
    (next?.querySelector("button") ?? search).focus();
    reload();
  }

  function headings() {
    return COLUMNS.map(([name, words]) => {
      const direction = sort.replace("-", "") !== name ? "none" : sort.startsWith("-") ? "descending" : "ascending";
      return h("th", { scope: "col", "aria-sort": direction }, h("button.link", { type: "button", onclick: guarded(async () => {
        await order(sort === name ? `-${name}` : name);
      }), id: `sort-${name}` }, t(words)));
    }).concat(h("th", { scope: "col" }, h("span.unseen", {}, t("docActions"))));
  }

  async function order(by) {
    sort = by;
    sorting.value = by;
    keepingFocus(head, () => head.replaceChildren(...headings()));
    await load(0);
  }

  const head = h("tr", {}, headings());
  // Where the table has no room for its head.
  const sorting = h("select.sorting", { "aria-label": t("docSort"), onchange: guarded(() => order(sorting.value)) },
    COLUMNS.flatMap(([name, words]) => [h("option", { value: name }, `${t(words)} ↑`), h("option", { value: `-${name}` }, `${t(words)} ↓`)]));
  sorting.value = sort;
  search.addEventListener("input", debounced(() => load(0), 200));
  listing.append(h("div.row", {}, search, sorting), counted,
    h("div.scroll", { tabIndex: 0, role: "region", "aria-label": t("docTitle") }, h("table.documents", {}, h("thead", {}, head), table)), more);
  const zone = dropzone(kb.name, send, info);
  const leave = () => { queue.close(); zone.close(); };
  try {
    await load(0);
  } catch (error) {
    leave();
    throw error;
  }
  return { title: t("docTitle"), nodes: [h("h1", {}, t("docTitle")), zone.node, queue.node, empty, listing], leave };
}

const changed = () => dispatchEvent(new Event("footnote:changed"));

/** Where files and folders are chosen, or text is pasted; they may be dropped anywhere. */
function dropzone(kb, send, info) {
  const picker = properties => h("input.unseen", { type: "file", multiple: true, tabIndex: -1, "aria-hidden": "true", ...properties, onchange: event => {
    send([...event.target.files].map(file => ({ file, name: file.webkitRelativePath || file.name })));
    event.target.value = "";
  } });
  const files = picker({ id: "choose-files" }), folder = picker({ webkitdirectory: true });
  const zone = h("section.dropzone", { "aria-label": t("dropTitle") },
    h("p", {}, icon("upload"), h("strong", {}, t("dropTitle"))), files, folder,
    h("div.actions", {},
      iconButton("document", t("chooseFiles"), { className: "primary", onclick: () => files.click() }),
      iconButton("folder", t("chooseFolder"), { onclick: () => folder.click() }),
      iconButton("paste", t("pasteText"), { onclick: () => pasteDialog(kb) }),
      info.fetch_urls ? iconButton("plus", t("fetchUrl"), { onclick: () => urlDialog(kb) }) : null));
  const handlers = {
    dragover: event => { event.preventDefault(); zone.classList.add("over"); },
    dragleave: event => { if (!event.relatedTarget) zone.classList.remove("over"); },
    drop: async event => {
      event.preventDefault();
      zone.classList.remove("over");
      send(await filesOf(event.dataTransfer));
    },
  };
  for (const [name, handler] of Object.entries(handlers)) addEventListener(name, handler);
  return {
    node: zone,
    close: () => { for (const [name, handler] of Object.entries(handlers)) removeEventListener(name, handler); },
  };
}

function pasteDialog(kb) {
  const title = h("input", { type: "text", required: true, maxLength: 500 });
  const text = h("textarea", { rows: 10, required: true });
  formDialog(t("pasteTitle"), [field(t("pasteName"), title), field(t("pasteBody"), text)], {
    yes: t("pasteAdd"),
    accept: () => post(of(kb, "documents"), { uri: title.value.trim(), title: title.value.trim(), text: text.value }),
  });
}

function urlDialog(kb) {
  const url = h("input", { type: "url", required: true, maxLength: 2048, placeholder: "https://" });
  formDialog(t("fetchUrl"), [field(t("urlLabel"), url)], {
    yes: t("pasteAdd"), accept: () => post(of(kb, "documents"), { url: url.value }),
  });
}

function row(kb, one, { limit, removed }) {
  const replacement = h("input.unseen", { type: "file", tabIndex: -1, "aria-hidden": "true", onchange: event => {
    const [file] = event.target.files;
    if (file) outbox(kb).add([{ file, name: file.name }], limit, one.id);
    event.target.value = "";
  } });
  const about = { document_id: one.id, title: one.title, uri: one.uri };
  const line = h("tr", {},
    h("td", {},
      h("button.link", { type: "button", "aria-label": t("docView", one), onclick: () => openSource(kb, about) }, one.title),
      one.uri === one.title ? null : h("p.facts", {}, one.uri),
      one.warnings.length ? h("details.facts", {}, h("summary", {}, icon("warning"), t("docWarnings", { n: one.warnings.length })),
        h("ul", {}, one.warnings.map(text => h("li", {}, text)))) : null,
      Object.keys(one.metadata).length ? h("p.facts", {}, Object.entries(one.metadata).map(([key, value]) => h("span.tag", {}, `${key}: ${[value].flat().join(", ")}`))) : null),
    h("td", {}, h("time", { dateTime: new Date(one.updated_at * 1000).toISOString(), title: moment(one.updated_at) }, ago(one.updated_at))),
    h("td.number", {}, size(one.size)),
    h("td.tools", {}, replacement,
      iconButton("history", t("docVersions", one), { onclick: guarded(() => versions(kb, one)) }, true),
      iconButton("replace", t("docReplace", one), { onclick: () => replacement.click() }, true),
      h("a.button.bare", { href: of(kb, "documents", one.id, "original"), download: "", "aria-label": t("docDownload", one), title: t("docDownload", one) }, icon("download")),
      iconButton("delete", t("docDelete", one), { onclick: () => confirmDialog(t("docDeleteTitle"), t("docDeleteText", one), t("docDeleteYes"), async () => {
        await remove(of(kb, "documents", one.id)).catch(gone);
        notice(t("docDeleted", one));
        removed(line);
      }) }, true)));
  return line;
}

/** Somebody else was quicker. */
function gone(error) {
  if (error.status !== 404) throw error;
}

async function versions(kb, one) {
  const { versions: all } = await get(of(kb, "documents", one.id, "versions"));
  readDialog(t("docVersionsTitle"), h("ul.versions", {}, all.map(version => h("li", {},
    h("button.link", { type: "button", onclick: event => {
      event.target.closest("dialog").close();
      openSource(kb, { document_id: one.id, version: version.version, title: version.title, uri: one.uri });
    } }, moment(version.created_at)),
    h("span.facts", {}, [version.name, size(version.size), version.live ? t("docVersionLive") : null].filter(Boolean).join(" · "))))));
}
