// The pages are complete without this. It shows times in the browser's own zone, counts down, and keeps the part of a
// page that moves fresh.
(() => {
  const REFRESH_MS = 15_000;
  const language = document.documentElement.lang.replace(/^en$/, "en-GB"); // day before month, as the server writes it
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

  // <p data-when data-start data-end data-zone data-your-time>: rewritten when the browser's clock differs.
  function showLocalTimes(root) {
    for (const when of root.querySelectorAll("[data-when]")) {
      const start = new Date(when.dataset.start), end = new Date(when.dataset.end);
      const clock = (instant, timeZone) => new Intl.DateTimeFormat(language, { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone }).format(instant);
      const hours = (timeZone) => `${clock(start, timeZone)}–${clock(end, timeZone)}`;
      const day = (timeZone) => new Intl.DateTimeFormat(language, { weekday: "long", day: "numeric", month: "long", year: "numeric", timeZone }).format(start).replace(/^(\S+), /, "$1 ");
      const same = (other) => hours(zone) === hours(other) && day(zone) === day(other);
      if (same(when.dataset.zone)) continue;
      when.querySelector("[data-yours]").textContent =
        `${day(zone)}, ${hours(zone)} ${when.dataset.yourTime.replace("%(place)s", zone.split("/").pop().replaceAll("_", " "))}`.trim();
      const series = when.querySelector("[data-series]");
      if (series) series.hidden = same(when.dataset.seriesZone);
    }
  }

  function countDown(root) {
    for (const left of root.querySelectorAll("[data-seconds-left]")) {
      const end = performance.now() + Number(left.dataset.secondsLeft) * 1000;
      const tick = () => {
        const seconds = Math.max(0, Math.round((end - performance.now()) / 1000));
        left.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
        if (seconds > 0 && left.isConnected) setTimeout(tick, 500);
        else if (left.isConnected) refresh();
      };
      tick();
    }
  }

  // The fragment <… id data-refresh> is fetched again from data-refresh-from (a page that answers a form has an address
  // of its own), unless somebody is typing in it or has typed something. A link or button keeps its focus.
  const inUse = (fragment) => (fragment.contains(document.activeElement) && document.activeElement.matches("input, textarea, select"))
    || [...fragment.querySelectorAll("input, textarea")].some((field) => field.value !== field.defaultValue)
    || [...fragment.querySelectorAll("select option")].some((option) => option.selected !== option.defaultSelected);
  function likeOne(focused, fresh) {
    if (focused.id) return [...fresh.querySelectorAll("[id]")].find((one) => one.id === focused.id);
    const href = focused.getAttribute("href");
    if (href) return [...fresh.querySelectorAll("[href]")].find((one) => one.getAttribute("href") === href);
    const action = focused.form?.getAttribute("action");
    return [...fresh.querySelectorAll("button")].find((one) => one.form?.getAttribute("action") === action && one.value === focused.value);
  }
  async function refresh() {
    const fragment = document.querySelector("[data-refresh]");
    if (!fragment || document.hidden || inUse(fragment)) return;
    try {
      const answer = await fetch(fragment.dataset.refreshFrom || location.pathname, { credentials: "same-origin" });
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById(fragment.id);
      if (!fresh || fresh.dataset.refresh === fragment.dataset.refresh || inUse(fragment)) return;
      const focused = fragment.contains(document.activeElement) ? document.activeElement : null;
      const next = focused && likeOne(focused, fresh);
      fragment.replaceWith(fresh);
      if (next) next.focus({ preventScroll: true });
      showLocalTimes(fresh);
      countDown(fresh);
    } catch { /* offline for a moment: the page stays as it is */ }
  }

  // <button data-copy="id of a field" data-copied hidden>: shown where the browser can copy; else the field is selected.
  for (const button of document.querySelectorAll("[data-copy]")) {
    const field = document.getElementById(button.dataset.copy), words = [...button.childNodes];
    button.setAttribute("aria-live", "polite");
    button.hidden = false;
    button.addEventListener("click", async () => {
      field.focus();
      field.select();
      try { await navigator.clipboard.writeText(field.value); }
      catch { if (!document.execCommand("copy")) return; } // an LMS's frame may forbid the clipboard
      button.focus();
      button.textContent = button.dataset.copied;
      setTimeout(() => { button.replaceChildren(...words); }, 4000);
    });
  }

  for (const field of document.querySelectorAll("[data-select]")) field.addEventListener("focus", () => field.select());

  // A tick says also which of the ways is meant: <input data-chooses="id of a radio button">.
  for (const tick of document.querySelectorAll("[data-chooses]")) {
    tick.addEventListener("change", () => { if (tick.checked) document.getElementById(tick.dataset.chooses).checked = true; });
  }

  for (const form of document.querySelectorAll("[data-send-at-once]")) form.submit();

  showLocalTimes(document);
  countDown(document);
  // data-refresh-every: in ms, for a fragment that will soon be another one.
  function keepFresh() {
    const fragment = document.querySelector("[data-refresh]");
    if (!fragment) return; // none, or the last one that came says that it stays as it is
    setTimeout(() => refresh().finally(keepFresh), Number(fragment.dataset.refreshEvery) || REFRESH_MS);
  }
  keepFresh();
})();
