// What a person sees of a proposal, for a test to ask. A place is [line, struck text, ghost text]; ghost text is CSS
// content, so that it is never part of a line's own text.
(() => {
  const plain = (text) => text.replaceAll("\u00a0", " ");
  const top = (element) => element.getBoundingClientRect().top;
  const lines = () => [...document.querySelectorAll(".monaco-editor .view-line")].sort((a, b) => top(a) - top(b));
  const struck = (span) => getComputedStyle(span).textDecorationLine.includes("line-through");
  const ghost = (span) => {
    const contents = ["::before", "::after"].map((side) => getComputedStyle(span, side).content);
    return contents.filter((content) => content.startsWith('"')).map((content) => JSON.parse(content)).join("");
  };
  const places = (line) =>
    [...line.querySelectorAll("[class*=ced-]")]
      .map((span) => [line.textContent, struck(span) ? span.textContent : "", ghost(span)].map(plain))
      .filter(([, old, fresh]) => old || fresh);

  window.textShown = () => lines().map((line) => plain(line.textContent)).join("\n");
  window.statusShown = () => document.querySelector(".statusbar").textContent;
  window.painted = () => lines().flatMap(places);
  // A resize observer is told after the frame's animation callbacks and layout: it sees just what will be painted.
  const eachFrame = (look) => {
    const probe = document.body.appendChild(document.createElement("div"));
    probe.style.cssText = "position: fixed; height: 1px; width: 1px";
    new ResizeObserver(look).observe(probe);
    const resize = () => {
      probe.style.width = probe.style.width === "1px" ? "2px" : "1px";
      requestAnimationFrame(resize);
    };
    resize();
  };
  window.watch = () => {
    window.pictures = [];
    window.times = [];
    document.addEventListener("click", () => (window.clicked = performance.now()), { capture: true });
    eachFrame(() => {
      const picture = JSON.stringify(window.painted());
      if (window.pictures.at(-1) === picture) return;
      window.pictures.push(picture);
      window.times.push(performance.now() - window.clicked);
    });
  };
})();
