// Platform storage, as an LMS answers it to the tool in its frame: https://www.imsglobal.org/spec/lti-pm-s/v0p1
// The script element says which names the messages have, which of them this page answers, and which frame answers the
// others. Values live as long as the page.
(() => {
  "use strict";
  const MAX_ORIGINS = 20, MAX_KEYS = 500, MAX_CHARS = 4096; // keys of an origin; key and value together
  const PREFIXES = { current: "lti.", legacy: "org.imsglobal.lti." };
  const { dialect, answers, frame } = document.currentScript.dataset;
  const prefix = PREFIXES[dialect], answered = new Set(answers.split(" "));
  const kept = new Map(); // origin → Map of key → value: no tool learns another's

  const refuse = (code, message) => ({ error: { code, message } });
  const isText = (value) => typeof value === "string";

  function capabilities() {
    const supported = ["put_data", "get_data"].map((name) => ({ subject: prefix + name, ...(frame && { frame }) }));
    return { supported_messages: [{ subject: `${prefix}capabilities` }, ...supported] };
  }

  function put(origin, { key, value = null }) {
    if (!isText(key) || !(isText(value) || value === null)) return refuse("bad_request", "key and value must be text");
    const values = kept.get(origin) ?? new Map();
    if (value === null) values.delete(key);
    else if (key.length + value.length > MAX_CHARS || (!values.has(key) && values.size >= MAX_KEYS)
        || (!kept.has(origin) && kept.size >= MAX_ORIGINS)) return refuse("storage_exhaustion", "the storage is full");
    else kept.set(origin, values.set(key, value));
    return { key, value };
  }

  function get(origin, { key }) {
    if (!isText(key)) return refuse("bad_request", "key must be text");
    return { key, value: kept.get(origin)?.get(key) ?? null };
  }

  const answerTo = { capabilities, put_data: put, get_data: get };

  addEventListener("message", ({ data, origin, source }) => {
    if (!isText(data?.subject) || !data.subject.startsWith(prefix) || data.subject.endsWith(".response")) return;
    if (!isText(data.message_id) || origin === "null") return; // pages without an origin cannot be told apart
    const name = data.subject.slice(prefix.length);
    const answer = answered.has(name)
      ? answerTo[name](origin, data)
      : refuse("unsupported_subject", "not answered here");
    source?.postMessage({ subject: `${data.subject}.response`, message_id: data.message_id, ...answer }, origin);
  });
})();
