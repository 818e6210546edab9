// Sends files, a handful a request. What is sent belongs to a knowledge base, not to a view of it.

import { of, reachableAgain, upload } from "./api.js";
import { notice } from "./notices.js";
import { size, t } from "./words.js";

const TOGETHER = 20; // files of one request
const BYTES = 16_000_000; // of one request, so that the first are read while others are sent
const PATIENCE = 3000; // milliseconds before a full queue is tried again, where it doesn't say
const TRIES = 3; // where a request breaks off though the server answers: the file may have changed
const ONE_OF_THEM = new Set([413, 415, 422]); // refusals that are of a file, not of all

const outboxes = new Map();
addEventListener("beforeunload", event => {
  if ([...outboxes.values()].some(box => box.sending)) event.preventDefault();
});

/** The files of a knowledge base that are on their way to the server, or couldn't be sent. */
export function outbox(kb) {
  if (!outboxes.has(kb)) outboxes.set(kb, new Outbox(kb));
  return outboxes.get(kb);
}

class Outbox {
  constructor(kb) {
    this.kb = kb;
    this.entries = new Set();
    this.sending = false;
    this.listener = null; // told of an entry that has changed, and of the job that it became
  }

  /** Send `{ file, name }` each, in order; with `replaces` as new versions of that document. */
  add(files, limit, replaces = null) {
    for (const { file, name } of files) {
      const entry = { file, name, replaces, state: "waiting", share: 0, reason: null, tries: 0 };
      if (file.size > limit) Object.assign(entry, { state: "refused", reason: t("tooLarge", { limit: size(limit) }) });
      this.entries.add(entry);
      this.#tell(entry);
    }
    this.#send();
  }

  /** Try again what couldn't be sent. */
  again(entry = null) {
    for (const one of entry ? [entry] : this.entries) {
      if (one.state !== "failed") continue;
      Object.assign(one, { state: "waiting", share: 0, reason: null, tries: 0 });
      this.#tell(one);
    }
    this.#send();
  }

  /** Forget what couldn't be sent. */
  clear() {
    for (const one of this.entries) if (["refused", "failed"].includes(one.state)) this.entries.delete(one);
  }

  async #send() {
    if (this.sending) return;
    this.sending = true;
    try {
      for (let batch = this.#next(); batch.length; batch = this.#next()) await this.#post(batch);
    } finally {
      this.sending = false;
    }
    const failed = [...this.entries].filter(one => one.reason).length;
    if (failed && !this.listener) notice(t("unsent", { n: failed, name: this.kb }), "bad");
  }

  /** The next that go together: one that replaces a document, or one that failed, goes alone. */
  #next() {
    const batch = [];
    let bytes = 0;
    for (const one of this.entries) {
      if (one.state !== "waiting") continue;
      const alone = one.replaces || one.tries;
      if (batch.length && (alone || bytes + one.file.size > BYTES || batch.length >= TOGETHER)) break;
      batch.push(one);
      bytes += one.file.size;
      if (alone) break;
    }
    return batch;
  }

  async #post(batch) {
    const [{ replaces }] = batch;
    const form = new FormData();
    for (const { file, name } of batch) form.append("files", file, name);
    const path = replaces ? of(this.kb, "documents", replaces) : of(this.kb, "documents");
    const sent = share => batch.forEach(one => { one.share = share; this.#tell(one); });
    try {
      const { jobs } = await upload(replaces ? "PUT" : "POST", path, form, sent);
      batch.forEach((one, index) => {
        this.entries.delete(one);
        // An archive is as many documents as it has files: the stream of jobs shows them.
        this.#tell(one, jobs.length === batch.length ? jobs[index] : null);
      });
    } catch (error) {
      if (error.status === 429) return new Promise(resolve => setTimeout(resolve, (error.retryAfter * 1000) || PATIENCE));
      if (error.status === 0) {
        const answers = await reachableAgain(); // true where it has answered all the time
        if (answers) batch.forEach(one => { one.tries += 1; });
        if (!answers || batch[0].tries < TRIES) return;
        return this.#fail(batch, t("sendingLost"));
      }
      if (batch.length > 1 && ONE_OF_THEM.has(error.status)) batch.forEach(one => { one.tries += 1; });
      else this.#fail(error.status === 404 && !replaces ? this.entries : batch, error.message);
    }
  }

  #fail(batch, reason) {
    for (const one of batch) {
      if (one.state === "refused") continue;
      Object.assign(one, { state: "failed", reason });
      this.#tell(one);
    }
  }

  #tell(entry, job = undefined) {
    this.listener?.(entry, job);
  }
}
