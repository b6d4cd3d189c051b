// The page: its tiles, filters, theme and print.
const data = JSON.parse(document.getElementById("data").textContent);
const root = document.documentElement;
const calm = window.matchMedia("(prefers-reduced-motion: reduce)");
const systemDark = window.matchMedia("(prefers-color-scheme: dark)");
const selects = [...document.querySelectorAll("[data-filter]")];
const themeButton = document.getElementById("theme");
let colors = themeColors();

const tiles = data.tiles.map((spec) => {
  const article = document.getElementById(spec.id);
  const dataset = data.datasets[spec.dataset];
  const tile = {
    spec, article, dataset,
    body: article.querySelector(".body"),
    note: article.querySelector(".note"),
    toggle: article.querySelector(".data-toggle"),
    seriesValues: spec.series ? distinct(dataset.rows.map((row) => row[dataset.columns.indexOf(spec.series)])).sort((a, b) => compareValues(a, b)) : [],
    redraw: () => draw(tile, false),
  };
  tile.toggle?.addEventListener("click", () => {
    tile.toggle.setAttribute("aria-pressed", String(tile.toggle.getAttribute("aria-pressed") !== "true"));
    tile.redraw();
  });
  return tile;
});

function chosenFilters() {
  return selects
    .filter((select) => select.value !== "")
    .map((select) => ({ ...data.filters[select.dataset.filter], value: filterValues[select.dataset.filter][select.value] }));
}

function draw(tile, animate) {
  const { spec, dataset, body, note } = tile;
  const chosen = chosenFilters();
  const apply = chosen.filter(({ column }) => dataset.columns.includes(column));
  const rows = filteredRows(dataset, chosen);
  const notes = [];
  tile.chart?.destroy();
  tile.chart = null;
  hideTip();
  body.replaceChildren();
  if (!rows.length) body.append(element("p", { className: "empty" }, apply.length ? "No rows for this choice" : "No rows"));
  else if (spec.type === "metric") notes.push(drawMetric(tile, dataset, rows, apply.length > 0));
  else {
    const marks = marksOf(spec, dataset, rows, spec.keys);
    if (spec.type === "table") notes.push(drawTable(tile, marks));
    else if (tile.toggle.getAttribute("aria-pressed") === "true") notes.push(drawData(tile, marks));
    else if (spec.type === "heatmap") notes.push(drawHeatmap(tile, marks, colors));
    else notes.push(drawChart(tile, marks, colors, animate && !calm.matches));
  }
  if (apply.length < chosen.length) notes.push(`Not by ${chosen.filter((choice) => !apply.includes(choice)).map(({ label }) => label.toLowerCase()).join(", ")}`);
  note.textContent = notes.filter(Boolean).join(" \u00b7 ");
  note.hidden = !note.textContent;
}

function drawAll(animate) {
  colors = themeColors();
  tiles.forEach((tile) => draw(tile, animate));
}

// Filters: every value that any tile's rows hold.
const filterValues = data.filters.map(({ column }) =>
  distinct(
    data.datasets.flatMap((dataset) => {
      const index = dataset.columns.indexOf(column);
      return index < 0 ? [] : dataset.rows.map((row) => row[index]);
    }),
  ).sort((a, b) => compareValues(a, b)),
);
selects.forEach((select) =>
  select.append(...filterValues[select.dataset.filter].map((value, index) => element("option", { value: String(index) }, value === null ? "(none)" : String(value)))),
);
const form = document.querySelector(".filters");
const clear = form?.querySelector("button");

function filtersChanged() {
  const chosen = chosenFilters();
  clear.hidden = !chosen.length;
  drawAll(true);
  announce(chosen.length ? `Showing ${chosen.map(({ label, value }) => `${label} ${value ?? "(none)"}`).join(", ")}` : "Showing everything");
}

form?.addEventListener("change", filtersChanged);
form?.addEventListener("submit", (event) => event.preventDefault());
// The fields are empty only after the event.
form?.addEventListener("reset", () => setTimeout(filtersChanged));

// Theme: the system's until one is chosen.
function isDark() {
  return root.dataset.theme ? root.dataset.theme === "dark" : systemDark.matches;
}

function nameTheme() {
  themeButton.setAttribute("aria-pressed", String(isDark()));
  document.getElementById("theme-name").textContent = isDark() ? "Light" : "Dark";
}

themeButton.addEventListener("click", () => {
  root.dataset.theme = isDark() ? "light" : "dark";
  try {
    localStorage.setItem("dashboard-theme", root.dataset.theme);
  } catch {
    // The choice then holds until the page is closed.
  }
  nameTheme();
  drawAll(false);
});
systemDark.addEventListener("change", () => {
  nameTheme();
  drawAll(false);
});

// Paper is light, and a canvas does not follow the width of a page by itself.
const details = document.querySelector("footer details");
let onScreen = {};
window.addEventListener("beforeprint", () => {
  onScreen = { theme: root.dataset.theme, open: details.open };
  root.dataset.theme = "light";
  details.open = true;
  drawAll(false);
  tiles.forEach((tile) => tile.chart?.resize());
});
window.addEventListener("afterprint", () => {
  if (onScreen.theme) root.dataset.theme = onScreen.theme;
  else delete root.dataset.theme;
  details.open = onScreen.open;
  drawAll(false);
});

document.addEventListener("keydown", (event) => event.key === "Escape" && hideTip());
document.addEventListener("scroll", hideTip, { passive: true });

// How old the data is, seen from now.
const relative = new Intl.RelativeTimeFormat(LOCALE, { numeric: "auto" });
document.querySelectorAll("footer time").forEach((time) => {
  const seconds = (Date.parse(time.dateTime) - Date.now()) / 1000;
  const [unit, length] = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]].find(([, size]) => Math.abs(seconds) >= size) ?? ["second", 1];
  time.after(` (${relative.format(Math.round(seconds / length), unit)})`);
});

nameTheme();
drawAll(true);
