// The server's HTTP interface: requests, problem documents, streams of events.

const listeners = new Set();

/** Told `true` when the server answers again, `false` when it can't be reached. */
export const onConnection = listener => listeners.add(listener);
let reachable = true;

function tell(now) {
  if (now === reachable) return;
  reachable = now;
  for (const listener of listeners) listener(now);
  if (!now) wait();
}

async function wait() {
  while (!reachable) {
    await new Promise(resolve => setTimeout(resolve, 1000));
    if (await alive()) tell(true);
  }
}

const alive = async () => (await fetch("/health", { cache: "no-store" }).catch(() => null))?.ok === true;

/** Whether the server answers; where it doesn't, false once it does again. */
export async function reachableAgain() {
  if (await alive()) return true;
  const again = new Promise(resolve => {
    const told = now => {
      if (!now) return;
      listeners.delete(told);
      resolve(false);
    };
    listeners.add(told);
  });
  tell(false);
  return again;
}

const locks = new Set();

/** Told when the server wants to know whose key the page has. */
export const onLocked = lock => locks.add(lock);
const SIGN_IN = "/session"; // which says itself that a key is wrong

function locked(status, path) {
  if (status === 401 && path !== SIGN_IN) locks.forEach(lock => lock());
}

/** A refusal of the server, or no answer at all (`status` 0). */
export class Problem extends Error {
  constructor(status, detail, kind = "") {
    super(detail);
    this.status = status;
    this.kind = kind;
  }
}

/** That a request broke off. Whether nobody answers at all is asked first. */
export async function brokenOff() {
  if (!await alive()) tell(false);
  return new Problem(0, "unreachable");
}

async function problem(reply) {
  const body = await reply.json().catch(() => ({}));
  return new Problem(reply.status, body.detail ?? `${reply.status} ${reply.statusText}`, body.title);
}

async function request(path, options = {}) {
  let reply;
  try {
    reply = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw await brokenOff();
  }
  tell(true);
  locked(reply.status, path);
  if (!reply.ok) throw await problem(reply);
  return reply;
}

/** The path of a knowledge base, or of something in it: `of(kb, "documents", id)`. */
export const of = (...parts) => "/kb/" + parts.map(encodeURIComponent).join("/");

export const get = async (path, options) => (await request(path, options)).json();
export const getReply = request;

const sent = (method, body) => ({
  method, headers: { "content-type": "application/json" }, body: JSON.stringify(body),
});

async function change(method, path, body, options) {
  const reply = await request(path, { ...(body === undefined ? { method } : sent(method, body)), ...options });
  return reply.status === 204 ? null : reply.json();
}

export const post = (path, body, options) => change("POST", path, body, options);
export const put = (path, body) => change("PUT", path, body);
/** A PUT that is refused, with status 412, where there is something already. */
export const create = (path, body) => {
  const { headers, ...rest } = sent("PUT", body);
  return request(path, { ...rest, headers: { ...headers, "if-none-match": "*" } });
};
export const remove = path => change("DELETE", path);

/** The server-sent events of a POST, as `{ event, data }`, until it ends or `signal` aborts. */
export async function* events(path, body, signal) {
  const reply = await request(path, { ...sent("POST", body), signal });
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  try {
    for (;;) {
      let part;
      try {
        part = await reader.read();
      } catch (error) {
        if (error.name === "AbortError") throw error;
        throw await brokenOff();
      }
      if (part.done) return;
      const blocks = (text + part.value).split("\n\n");
      text = blocks.pop();
      for (const block of blocks) {
        const lines = block.split("\n");
        const of = name => lines.find(line => line.startsWith(name))?.slice(name.length);
        yield { event: of("event: "), data: JSON.parse(of("data: ")) };
      }
    }
  } finally {
    reader.cancel().catch(() => {}); // nobody reads what still comes
  }
}

/** Send a form, telling `progress` which share of it has gone. */
export function upload(method, path, form, progress) {
  return new Promise((resolve, reject) => {
    const sending = new XMLHttpRequest();
    sending.open(method, path);
    sending.responseType = "json";
    sending.upload.onprogress = event => event.lengthComputable && progress(event.loaded / event.total);
    sending.onload = () => {
      const { status, response } = sending;
      locked(status, path);
      if (status < 300) resolve(response);
      else {
        const refusal = new Problem(status, response?.detail ?? `${status} ${sending.statusText}`);
        refusal.retryAfter = Number(sending.getResponseHeader("Retry-After")) || 0;
        reject(refusal);
      }
    };
    sending.onerror = () => reject(new Problem(0, "unreachable"));
    sending.send(form);
  });
}

/**
 * Follow a stream of events over restarts of the server, until the function returned is called.
 * A page that nobody sees doesn't: a browser has few connections to a server.
 */
export function follow(path, handlers) {
  let source = null, timer = 0;
  const open = () => {
    close();
    if (document.hidden) return;
    source = new EventSource(path);
    for (const [name, handler] of Object.entries(handlers)) { // `lost` is no event of the server
      source.addEventListener(name, event => handler(JSON.parse(event.data)));
    }
    source.onopen = () => tell(true);
    source.onerror = () => {
      close();
      handlers.lost?.();
      timer = setTimeout(open, 1000);
    };
  };
  const close = () => { clearTimeout(timer); source?.close(); };
  document.addEventListener("visibilitychange", open);
  open();
  return () => { document.removeEventListener("visibilitychange", open); close(); };
}
