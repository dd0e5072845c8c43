// What a page must be like for a trembling hand; returns the sentences of what is not.
() => {
  const faults = [];
  const name = (e) =>
    `${e.tagName.toLowerCase()} "${(e.textContent || e.name || "").trim().slice(0, 40)}"`;
  const seen = (e) => {
    const box = e.getBoundingClientRect();
    return box.width > 1 && box.height > 1 && !e.closest(".unseen, .skip");
  };
  const page = document.documentElement;
  if (page.scrollWidth > page.clientWidth) {
    faults.push(`the page scrolls sideways: ${page.scrollWidth} in ${page.clientWidth}`);
  }
  const inSentence = (e) => e.matches("a") && getComputedStyle(e).display === "inline";
  for (const e of document.querySelectorAll("a, button, input, select, textarea")) {
    const target = e.closest("label.choice") || e;
    if (!seen(target) || inSentence(e)) continue;
    const { width, height } = target.getBoundingClientRect();
    const least = e.matches(".primary") ? 72 : 44;
    if (height < least - 0.1 || width < 43.9) {
      faults.push(`${name(e)} is ${width.toFixed(0)} by ${height.toFixed(0)}`);
    }
  }
  for (const e of document.querySelectorAll("body *")) {
    if (!seen(e) || e.closest(".scroll, svg, option")) continue;
    const clips = getComputedStyle(e).overflowX !== "visible";
    if (clips && !e.matches("input, select, textarea") && e.scrollWidth > e.clientWidth + 1) {
      faults.push(`${name(e)} is clipped`);
    }
    const box = e.getBoundingClientRect();
    if (box.left < -1 || box.right > page.clientWidth + 1) {
      faults.push(`${name(e)} hangs out of the page`);
    }
  }
  const heads = [...document.querySelectorAll("h1, h2, h3, h4")].map((e) => +e.tagName[1]);
  if (heads.filter((level) => level === 1).length !== 1) faults.push("not one h1");
  heads.reduce((before, level) => {
    if (level > before + 1) faults.push(`an h${level} follows an h${before}`);
    return level;
  }, 0);
  return faults;
}
