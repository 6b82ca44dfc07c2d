// Live pages: fetches the page that is shown every few seconds and puts its
// <main> in place of the old one. Without this script every page works; it
// then shows what was true when it was loaded.
"use strict";

(() => {
  const main = () => document.getElementById("main");
  const button = document.getElementById("live");
  const lost = document.getElementById("lost");
  const seconds = Number(main()?.dataset.live || 0);
  if (!seconds || !button) return;

  const paused = () => sessionStorage.getItem("live") === "off";
  let busy = false;

  // Replacing what somebody reads with the keyboard, types in or marks would
  // take it away from them.
  const inUse = () =>
    document.hidden || paused() || busy ||
    main().contains(document.activeElement) ||
    !(document.getSelection()?.isCollapsed ?? true);

  const keep = (old, fresh) => {
    for (const d of old.querySelectorAll("details[id][open]")) {
      fresh.querySelector("#" + CSS.escape(d.id))?.setAttribute("open", "");
    }
    const scrolled = [...old.querySelectorAll(".scroll")].map((e) => e.scrollLeft);
    old.replaceWith(fresh);
    fresh.querySelectorAll(".scroll").forEach((e, i) => { e.scrollLeft = scrolled[i] || 0; });
  };

  const refresh = async () => {
    if (inUse()) return;
    busy = true;
    try {
      const answer = await fetch(location.href, { headers: { "X-Refresh": "1" }, cache: "no-store" });
      if (answer.redirected) { location.reload(); return; }
      if (!answer.ok) throw new Error(String(answer.status));
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("main");
      busy = false;
      if (fresh && !inUse()) keep(main(), document.adoptNode(fresh));
      lost.hidden = true;
    } catch {
      lost.hidden = false;
    } finally {
      busy = false;
    }
  };

  const label = () => {
    const off = paused();
    button.setAttribute("aria-pressed", String(off));
    button.title = off ? button.dataset.resume : button.dataset.pause;
    button.querySelector(".said").textContent = button.title;
  };
  button.addEventListener("click", () => {
    sessionStorage.setItem("live", paused() ? "on" : "off");
    label();
    if (!paused()) refresh();
  });
  button.hidden = false;
  label();
  setInterval(refresh, seconds * 1000);
  document.addEventListener("visibilitychange", refresh);
})();

// "/" goes to the search field, as in other consoles.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.closest("input, select, textarea")) return;
  const field = document.querySelector("input[type=search]");
  if (field) { event.preventDefault(); field.focus(); }
});
