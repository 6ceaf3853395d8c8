"use strict";
(() => {
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const one = (id) => document.getElementById(id);
  const root = document.documentElement;
  const store = {
    get: (key) => { try { return localStorage.getItem(key); } catch { return null; } },
    set: (key, value) => { try { localStorage.setItem(key, value); } catch { /* no storage */ } },
  };

  const remembered = store.get("tfdrift-theme");
  if (remembered === "dark" || remembered === "light") root.dataset.theme = remembered;
  one("theme").addEventListener("click", () => {
    const dark = root.dataset.theme
      ? root.dataset.theme === "dark"
      : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    store.set("tfdrift-theme", root.dataset.theme);
  });

  const drifts = all("details.drift");
  const open = one("open");
  open.addEventListener("click", () => {
    const closed = drifts.some((drift) => !drift.hidden && !drift.open);
    drifts.forEach((drift) => { drift.open = closed; });
    open.textContent = closed ? "Close all" : "Open all";
  });
  let before = [];
  addEventListener("beforeprint", () => {
    before = drifts.filter((drift) => !drift.open);
    before.forEach((drift) => { drift.open = true; });
  });
  addEventListener("afterprint", () => before.forEach((drift) => { drift.open = false; }));

  const tools = one("tools");
  const fields = { q: one("q"), kind: one("kind"), who: one("who"), origin: one("origin") };
  const tiles = all("button.tile");
  const rows = all("tr[data-drift]");
  const texts = new Map(drifts.map((drift) => [drift.id, drift.textContent.toLowerCase()]));
  const rowOf = new Map(rows.map((row) => [row.dataset.drift, row]));
  const count = one("count");

  const apply = () => {
    const words = fields.q.value.toLowerCase().split(/\s+/).filter(Boolean);
    const severities = tiles
      .filter((tile) => tile.getAttribute("aria-pressed") === "true")
      .map((tile) => tile.dataset.severity);
    let shown = 0;
    for (const drift of drifts) {
      const data = drift.dataset;
      const text = texts.get(drift.id);
      const fits =
        (severities.length === 0 || severities.includes(data.severity)) &&
        (!fields.kind.value || data.kind === fields.kind.value) &&
        (!fields.who.value || data.who.split("\n").includes(fields.who.value)) &&
        (!fields.origin.value || data.origin.split(" ").includes(fields.origin.value)) &&
        words.every((word) => text.includes(word));
      drift.hidden = !fits;
      const row = rowOf.get(drift.id);
      if (row) row.hidden = !fits;
      shown += fits ? 1 : 0;
    }
    for (const dot of all(".timeline a[href]")) {
      const drift = document.getElementById(dot.getAttribute("href").slice(1));
      dot.classList.toggle("dim", Boolean(drift && drift.hidden));
    }
    for (const section of all("section[data-section]")) {
      section.hidden = !all("details.drift", section).some((drift) => !drift.hidden);
    }
    count.textContent = `${shown} of ${drifts.length}`;
    one("none").hidden = shown > 0 || drifts.length === 0;
    remember(severities);
  };

  const remember = (severities) => {
    const query = new URLSearchParams();
    for (const [name, field] of Object.entries(fields)) if (field.value) query.set(name, field.value);
    if (severities.length) query.set("severity", severities.join(","));
    const hash = query.size ? `#?${query}` : "";
    const stands = location.hash.startsWith("#?") ? location.hash : "";
    if (hash === stands || (!hash && !stands)) return;
    try { history.replaceState(null, "", hash || location.pathname + location.search); } catch { /* not allowed here */ }
  };

  const follow = () => {
    if (location.hash.startsWith("#?")) {
      const query = new URLSearchParams(location.hash.slice(2));
      for (const [name, field] of Object.entries(fields)) field.value = query.get(name) || "";
      const severities = (query.get("severity") || "").split(",");
      tiles.forEach((tile) => tile.setAttribute("aria-pressed", String(severities.includes(tile.dataset.severity))));
      apply();
    } else if (location.hash.startsWith("#d-")) {
      const drift = document.getElementById(location.hash.slice(1));
      if (drift) { drift.hidden = false; drift.open = true; drift.scrollIntoView(); }
    }
  };

  tiles.forEach((tile) => tile.addEventListener("click", () => {
    tile.setAttribute("aria-pressed", String(tile.getAttribute("aria-pressed") !== "true"));
    apply();
  }));
  tools.addEventListener("input", apply);
  const clear = () => {
    Object.values(fields).forEach((field) => { field.value = ""; });
    tiles.forEach((tile) => tile.setAttribute("aria-pressed", "false"));
    apply();
  };
  one("clear").addEventListener("click", clear);
  addEventListener("hashchange", follow);
  addEventListener("keydown", (event) => {
    const typing = event.target instanceof Element && event.target.closest("input, select, textarea");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      fields.q.focus();
    } else if (event.key === "Escape" && typing) {
      clear();
      fields.q.blur();
    }
  });

  for (const header of all("#drifts th[data-sort]")) {
    header.firstElementChild.addEventListener("click", () => {
      const up = header.getAttribute("aria-sort") !== "ascending";
      all("#drifts th").forEach((other) => other.removeAttribute("aria-sort"));
      header.setAttribute("aria-sort", up ? "ascending" : "descending");
      const column = [...header.parentElement.children].indexOf(header);
      const key = (row) => row.children[column].dataset.key || row.children[column].textContent;
      const sorted = [...rows].sort((a, b) => key(a).localeCompare(key(b), "en", { numeric: true }) * (up ? 1 : -1));
      const body = one("drifts").tBodies[0];
      sorted.forEach((row) => body.append(row));
    });
  }

  tools.hidden = false;
  open.hidden = drifts.length === 0;
  one("theme").hidden = false;
  if (drifts.length === 0) tools.hidden = true;
  if (!location.hash.startsWith("#?")) apply();
  follow();
})();
