// Before the first paint: Bootstrap's colours follow the browser's light or dark.
(() => {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const paint = () => { document.documentElement.dataset.bsTheme = dark.matches ? "dark" : "light"; };
  dark.addEventListener("change", paint);
  paint();
})();
