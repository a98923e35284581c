// The last page of a registration: tell the LMS that it may close our frame or window.
// https://www.imsglobal.org/spec/lti-dr/v1p0#step-4-registration-completed-and-activation
(() => {
  const button = document.querySelector("[data-close]");
  const around = [window.parent, window.opener].filter((other) => other && other !== window);
  if (!around.length) return; // a tab of its own, which only a person can close
  button.hidden = false;
  document.querySelector("[data-close-words]").hidden = true;
  button.addEventListener("click", () => {
    for (const other of around) other.postMessage({ subject: "org.imsglobal.lti.close" }, "*"); // nothing secret in it
  });
})();
