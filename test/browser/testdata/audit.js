// Returns what is wrong with the page, as an array of sentences.
(() => {
  const faults = [];
  const say = (what, e) => faults.push(what + (e ? ": " + e.outerHTML.slice(0, 160) : ""));
  const all = (sel) => [...document.querySelectorAll(sel)];
  const shown = (e) => e.checkVisibility() && !e.closest(".said, .skip");

  // Structure.
  if (!document.title.trim()) say("no title");
  if (all("main").length !== 1) say("there is not one main");
  if (all("h1").length !== 1) say("there is not one h1");
  let level = 0;
  for (const h of all("h1, h2, h3, h4").filter((e) => e.checkVisibility())) {
    const n = Number(h.tagName[1]);
    if (n > level + 1) say("a level of headings is left out", h);
    level = n;
  }
  const ids = new Set();
  for (const e of all("[id]")) {
    if (ids.has(e.id)) say("the id is there twice", e);
    ids.add(e.id);
  }
  for (const e of all("[aria-labelledby], [aria-describedby]")) {
    const names = (e.getAttribute("aria-labelledby") || "") + " " + (e.getAttribute("aria-describedby") || "");
    for (const id of names.split(/\s+/).filter(Boolean)) if (!ids.has(id)) say("points to an id that is not there", e);
  }

  // Names.
  const named = (e) => (e.getAttribute("aria-label") || e.textContent || "").trim() !== "";
  for (const e of all("input:not([type=hidden]), select, textarea")) {
    if (!e.labels.length && !e.getAttribute("aria-label")) say("a field without a label", e);
  }
  for (const e of all("a[href], button")) if (!named(e) && !e.querySelector("img[alt]:not([alt=''])")) say("a link or button without a name", e);
  for (const e of all("img")) if (!e.hasAttribute("alt")) say("an image without alt", e);
  for (const e of all("svg")) if (!e.hasAttribute("aria-hidden") && !e.getAttribute("aria-label")) say("a picture without a name", e);
  for (const e of all("thead th")) if (e.scope !== "col" || !named(e)) say("a heading of a column without scope or name", e);
  for (const e of all("form[method=post]")) if (!e.getAttribute("action")) say("a form without action", e);

  // Nothing inline, nothing from elsewhere.
  for (const e of all("[style], style, script:not([src])")) say("inline style or script", e);
  for (const e of all("[src], link[href]")) {
    if (new URL(e.src || e.href, location.href).origin !== location.origin) say("comes from another place", e);
  }
  for (const e of all("a[href]")) {
    if (!/^https?:$/.test(new URL(e.href).protocol)) say("a link that is not to a page", e);
  }
  const odd = all("*").flatMap((e) => [...e.attributes]).filter((a) => /^on/i.test(a.name));
  for (const a of odd) say("an event handler in the page", a.ownerElement);

  // Width.
  if (document.documentElement.scrollWidth > innerWidth + 1) {
    const wide = all("body *").filter((e) => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".scroll, nav, pre") && shown(e));
    say("wider than the window by " + (document.documentElement.scrollWidth - innerWidth), wide.at(-1));
  }

  // Contrast of every text with what lies behind it (WCAG 2.2, 1.4.3 AA).
  const parse = (c) => {
    const m = c.match(/rgba?\(([\d.]+),? ([\d.]+),? ([\d.]+)(?:[,/ ]+([\d.]+))?\)/);
    return m && { rgb: [Number(m[1]), Number(m[2]), Number(m[3])], alpha: m[4] === undefined ? 1 : Number(m[4]) };
  };
  const luminance = (rgb) => {
    const [r, g, b] = rgb.map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (e) => {
    for (; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c && c.alpha === 1) return c.rgb;
    }
    return [255, 255, 255];
  };
  const seen = new Set();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let n = walker.nextNode(); n; n = walker.nextNode()) {
    const e = n.parentElement;
    if (!n.data.trim() || !shown(e)) continue;
    const style = getComputedStyle(e);
    const front = parse(style.color).rgb;
    const back = behind(e);
    const [hi, lo] = [luminance(front), luminance(back)].sort((a, b) => b - a);
    const ratio = (hi + 0.05) / (lo + 0.05);
    const large = parseFloat(style.fontSize) >= 24 || parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700;
    const key = front + "/" + back;
    if (ratio < (large ? 3 : 4.5) && !seen.has(key)) {
      seen.add(key);
      say("contrast of " + ratio.toFixed(2), e);
    }
  }

  // Size of what one presses (WCAG 2.2, 2.5.8 AA), lines of text excepted.
  for (const e of all("button, .button, .chips a, select, input:not([type=hidden])").filter(shown)) {
    const r = e.getBoundingClientRect();
    if (r.width < 24 || r.height < 24) say("too small to press: " + Math.round(r.width) + "×" + Math.round(r.height), e);
  }
  return faults;
})()
