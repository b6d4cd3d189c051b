// Tables and heatmaps, as HTML.

// The columns a table of marks shows, keys before figures unless the tile is a table with an order of its own.
function shownColumns(spec) {
  return spec.type === "table" ? Object.keys(spec.columns) : [...spec.keys, ...spec.figures];
}

function isFigure(spec, name) {
  return spec.figures.includes(name) || (spec.columns[name].kind === "number" && NUMBER_FORMATS.has(spec.columns[name].format));
}

function marksTable(spec, marks, caption) {
  const names = shownColumns(spec);
  const head = element("tr", {}, ...names.map((name) => element("th", { scope: "col", className: isFigure(spec, name) ? "number" : "" }, element("span", {}, spec.columns[name].label))));
  const rows = marks.map((mark) =>
    element("tr", {}, ...names.map((name) => element("td", { className: isFigure(spec, name) ? "number" : "" }, formatValue(mark[name], spec.columns[name])))),
  );
  return element(
    "table", { className: "data" },
    element("caption", { className: "hidden-text" }, caption), element("thead", {}, head), element("tbody", {}, ...rows),
  );
}

function scrolling(node, label) {
  return element("div", { className: "scroll", tabIndex: 0, role: "region", "aria-label": label }, node);
}

function drawTable(tile, marks) {
  const { spec, body } = tile;
  const order = tile.userSort ?? spec.sort;
  const ordered = order ? sorted(marks, order.column, order.descending) : marks;
  const shown = spec.limit ? ordered.slice(0, spec.limit) : ordered;
  const table = marksTable(spec, shown, spec.title);
  shownColumns(spec).forEach((name, index) => {
    const cell = table.tHead.rows[0].cells[index];
    const active = order?.column === name;
    const button = element("button", { type: "button" }, spec.columns[name].label, element("span", { "aria-hidden": "true" }, active ? (order.descending ? " \u2193" : " \u2191") : " \u2195"));
    if (active) cell.setAttribute("aria-sort", order.descending ? "descending" : "ascending");
    button.addEventListener("click", () => {
      tile.userSort = { column: name, descending: active ? !order.descending : isFigure(spec, name) };
      tile.redraw();
      tile.body.querySelectorAll("th button")[index].focus();
    });
    cell.replaceChildren(button);
  });
  body.append(scrolling(table, `${spec.title}, table`));
  return shown.length < marks.length ? `${shown.length} of ${plural(marks.length, "row")} shown` : "";
}

// The marks behind a chart, in place of it.
function drawData(tile, marks) {
  const { spec, body } = tile;
  body.append(scrolling(marksTable(spec, sortedMarks(spec, marks), `Data of ${spec.title}`), `Data of ${spec.title}`));
  return plural(marks.length, "row");
}

function axisValues(spec, name, marks) {
  return sorted(marks, name).reduce((seen, mark) => (seen.includes(mark[name]) ? seen : [...seen, mark[name]]), []);
}

function drawHeatmap(tile, marks, colors) {
  const { spec, body } = tile;
  const [xName, yName] = [spec.x, spec.y[0]];
  const [xColumn, yColumn, column] = [spec.columns[xName], spec.columns[yName], spec.columns[spec.value]];
  const xs = axisValues(spec, xName, marks);
  const ys = axisValues(spec, yName, marks);
  const all = marks.map((mark) => mark[spec.value]);
  const range = colorRange(all);
  const values = new Map(marks.map((mark) => [JSON.stringify([mark[xName], mark[yName]]), mark[spec.value]]));
  const cells = ys.map((y) =>
    xs.map((x) => {
      const value = values.get(JSON.stringify([x, y])) ?? null;
      const title = `${formatKey(y, yColumn)}, ${formatKey(x, xColumn)}`;
      const cell = element("td", { tabIndex: -1, "aria-label": `${title}: ${formatValue(value, column)}` });
      if (value !== null) cell.style.background = rampColor(colors, shareOf(value, range));
      const show = () => {
        const box = cell.getBoundingClientRect();
        showTip(title, [{ label: column.label, value: formatValue(value, column), color: cell.style.background }], box.right, box.top + box.height / 2);
      };
      cell.addEventListener("mouseenter", show);
      cell.addEventListener("mouseleave", hideTip);
      cell.addEventListener("focus", show);
      cell.addEventListener("blur", hideTip);
      return cell;
    }),
  );
  const head = element("tr", {}, element("td"), ...xs.map((x) => element("th", { scope: "col" }, element("span", {}, formatHead(x, xColumn)))));
  const rows = ys.map((y, index) => element("tr", {}, element("th", { scope: "row" }, formatKey(y, yColumn)), ...cells[index]));
  const table = element("table", { className: "heatmap", role: "grid", "aria-label": `Heatmap of ${column.label} by ${yColumn.label} and ${xColumn.label}. Arrow keys read the values.` }, element("thead", {}, head), element("tbody", {}, ...rows));
  addGridKeys(cells);
  if (range) body.append(rampLegend(column, range, all, colors));
  body.append(element("div", { className: "heatmap-frame" }, table));
  return "";
}

// One cell at a time is in the tab order; arrow keys move it.
function addGridKeys(cells) {
  if (!cells.length || !cells[0].length) return;
  cells[0][0].tabIndex = 0;
  cells.forEach((row, y) =>
    row.forEach((cell, x) =>
      cell.addEventListener("keydown", (event) => {
        const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
        const next = step && cells[y + step[0]]?.[x + step[1]];
        if (!step) return;
        event.preventDefault();
        if (!next) return;
        cell.tabIndex = -1;
        next.tabIndex = 0;
        next.focus();
      }),
    ),
  );
}
