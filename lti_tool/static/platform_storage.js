// LTI platform storage: the LMS keeps one value for us, in this browser, while the login goes through it.
// https://www.imsglobal.org/spec/lti-cs-pm/v0p1 and https://www.imsglobal.org/spec/lti-pm-s/v0p1
(() => {
  const CAPABILITIES_MS = 1000; // then the storage is tried all the same: not every LMS answers that question
  const STORAGE_MS = 1500;
  const PROMISED_STORAGE_MS = 6000; // of an LMS that said it can: a slow computer must not cost its storage
  const AGAIN_MS = 250; // the LMS's page may still be loading, and what comes before it listens is lost
  const LEGACY = "org.imsglobal."; // before the final names: https://github.com/BrightspaceUI/lti-components
  const page = document.getElementById("platform-storage");
  const { step, target, origin, key, value, next } = page.dataset;
  const fallback = page.querySelector("[data-fallback]");
  if (fallback) fallback.hidden = true;

  // The LMS is around us, further out when it nests frames, or it opened this window. None of them may be there.
  const windows = [...new Set([window.parent, window.top, window.opener])].filter((other) => other && other !== window);

  // The answer to a message; only the LMS's own origin is believed, except for what it says that it can do.
  function ask(findReceiver, subject, content, answerFrom, timeoutMs) {
    return new Promise((resolve, reject) => {
      const messageId = crypto.getRandomValues(new Uint32Array(4)).join("-");
      const giveUp = setTimeout(() => finish(() => reject(new Error("no answer"))), timeoutMs);
      const again = setInterval(send, AGAIN_MS);
      function send() {
        findReceiver()?.postMessage({ subject, message_id: messageId, ...content }, answerFrom);
      }
      function finish(end) {
        clearTimeout(giveUp);
        clearInterval(again);
        removeEventListener("message", listen);
        end();
      }
      function listen(event) {
        const answer = event.data;
        if (typeof answer !== "object" || answer === null || answer.message_id !== messageId) return;
        if (answer.subject !== `${subject}.response` || (answerFrom !== "*" && event.origin !== answerFrom)) return;
        finish(() => (answer.error ? reject(new Error("refused")) : resolve(answer)));
      }
      addEventListener("message", listen);
      send();
    });
  }

  // Which of the two names for an action an LMS knows, and in which frame it keeps its values.
  async function capability(lms, action) {
    const questions = ["", LEGACY].map(async (prefix) => {
      const answer = await ask(() => lms, `${prefix}lti.capabilities`, {}, "*", CAPABILITIES_MS);
      const known = answer.supported_messages?.find((message) => message.subject === `${prefix}lti.${action}`);
      if (!known) throw new Error("not supported");
      return { subject: known.subject, frame: known.frame };
    });
    return Promise.any(questions);
  }

  function frameOf(lms, name) {
    if (!name || name === "_parent") return lms;
    try {
      return lms.frames[name] ?? null;
    } catch {
      return null; // a window of another site tells no names that it does not have
    }
  }

  async function tryOne(lms, action, content) {
    const known = await capability(lms, action).catch(() => null);
    const subjects = known ? [known.subject] : [`lti.${action}`, `${LEGACY}lti.${action}`];
    const receiver = () => frameOf(lms, known?.frame ?? target); // perhaps still loading
    const waitMs = known ? PROMISED_STORAGE_MS : STORAGE_MS;
    return Promise.any(subjects.map((subject) => ask(receiver, subject, content, origin, waitMs)));
  }

  const storage = (action, content) => Promise.any(windows.map((lms) => tryOne(lms, action, content)));

  async function store() {
    try {
      await storage("put_data", { key, value });
      location.replace(next);
    } catch {
      fallback.hidden = false;
      fallback.parentElement.querySelector("h1").textContent = document.title = fallback.querySelector("a").textContent;
    }
  }

  async function fetchAndSend() {
    const form = page.querySelector("form");
    try {
      form.elements.proof.value = (await storage("get_data", { key })).value ?? "";
    } catch { /* the server says what to do next */ }
    form.submit();
  }

  if (step === "store") store();
  else fetchAndSend();
})();
