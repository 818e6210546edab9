// Sends files, a handful a request, and says how far each is.

import { of, upload } from "./api.js";
import { t } from "./words.js";
import { size } from "./words.js";

const TOGETHER = 20; // files of one request
const BYTES = 16_000_000; // of one request, so that the first are read while others are sent
const PATIENCE = 3000; // milliseconds before a full queue is tried again, where it doesn't say

let sending = 0;
addEventListener("beforeunload", event => { if (sending) event.preventDefault(); });

/** Send them all, in order; what can't be sent is told to the queue with its reason. */
export async function sendFiles(kb, files, limit, queue) {
  const rows = files.map(({ file, name }) => ({ file, name, row: queue.add(name) }));
  for (const { file, row } of rows) if (file.size > limit) row.fail(t("tooLarge", { limit: size(limit) }));
  const batches = [];
  let bytes = Infinity;
  for (const one of rows.filter(({ file }) => file.size <= limit)) {
    if (bytes + one.file.size > BYTES || batches.at(-1).length >= TOGETHER) {
      batches.push([]);
      bytes = 0;
    }
    batches.at(-1).push(one);
    bytes += one.file.size;
  }
  sending += 1;
  try {
    for (const batch of batches) await send("POST", of(kb, "documents"), batch);
  } finally {
    sending -= 1;
  }
}

/** Send a new version of a document. */
export async function sendReplacement(kb, document, file, limit, queue) {
  const row = queue.add(document.uri);
  if (file.size > limit) return row.fail(t("tooLarge", { limit: size(limit) }));
  sending += 1;
  try {
    await send("PUT", of(kb, "documents", document.id), [{ file, name: file.name, row }]);
  } finally {
    sending -= 1;
  }
}

async function send(method, path, batch) {
  const form = new FormData();
  for (const { file, name } of batch) form.append("files", file, name);
  try {
    const { jobs } = await upload(method, path, form, share => batch.forEach(({ row }) => row.sent(share)));
    // An archive is as many documents as it has files: the stream of jobs shows them.
    batch.forEach(({ row }, index) => row.becomes(jobs.length === batch.length ? jobs[index] : null));
  } catch (error) {
    if (error.status === 429) {
      await new Promise(resolve => setTimeout(resolve, (error.retryAfter * 1000) || PATIENCE));
      return send(method, path, batch);
    }
    if (batch.length > 1 && error.status >= 400 && error.status < 500) {
      for (const one of batch) await send(method, path, [one]); // one of them is refused, not all
      return;
    }
    for (const { row } of batch) {
      row.fail(error.status === 0 ? t("sendingLost") : error.message, () => send(method, path, batch.filter(one => one.row === row)));
    }
  }
}
