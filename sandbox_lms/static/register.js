// The tool says that it is done: https://www.imsglobal.org/spec/lti-dr/v1p0#step-4-registration-completed-and-activation
(() => {
  const { tool } = document.currentScript.dataset;
  addEventListener("message", (event) => {
    if (event.origin !== new URL(tool).origin || event.data?.subject !== "org.imsglobal.lti.close") return;
    if (event.source !== window && event.source?.parent === event.source) event.source.close(); // a tab that we opened
    location.assign("/admin/tools");
  });
})();
