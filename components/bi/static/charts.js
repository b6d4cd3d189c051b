// Lines, areas, bars and scatters on a canvas, by Chart.js.
const CHART_WORDS = { line: "Line chart", area: "Area chart", bar: "Bar chart", stacked_bar: "Stacked bar chart", horizontal_bar: "Bar chart", scatter: "Scatter chart" };
const HORIZONTAL_ROW = 26;

Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
Chart.defaults.font.size = 12;

// One group a line or a colour: { name, colour, of(mark) }. Colours follow all rows, so that a filter never changes them.
function groupsOf(tile, colors) {
  const { spec } = tile;
  if (!spec.series) {
    return spec.y.map((name, index) => ({ name: spec.columns[name].label, color: colors.series[index % 8], has: () => true, figure: name }));
  }
  const column = spec.columns[spec.series];
  return tile.seriesValues.map((value, index) => ({
    name: formatKey(value, column), color: colors.series[index % 8], has: (mark) => mark[spec.series] === value, figure: spec.y[0],
  }));
}

// The data sets of a chart whose marks stand at the same x values.
function alignedSets(tile, marks, xs, colors) {
  return groupsOf(tile, colors)
    .map((group) => {
      const byX = new Map(marks.filter(group.has).map((mark) => [mark[tile.spec.x], mark[group.figure]]));
      return { ...group, size: byX.size, values: xs.map((x) => byX.get(x) ?? null) };
    })
    .filter((group) => group.size > 0);
}

function lineConfig(tile, marks, colors) {
  const { spec } = tile;
  const column = spec.columns[spec.x];
  const continuous = isTime(column) || column.kind === "number";
  const placed = continuous ? marks.filter((mark) => mark[spec.x] !== null) : marks;
  const xs = distinct(placed.map((mark) => mark[spec.x]));
  const positions = isTime(column) ? xs.map(toTime) : xs;
  const groups = alignedSets(tile, placed, xs, colors);
  const area = spec.type === "area";
  const stacked = area && groups.length > 1;
  const range = extent(groups.flatMap((group) => group.values)) ?? [0, 0];
  const datasets = groups.map((group, index) => ({
    label: group.name,
    data: group.values.map((value, at) => (continuous ? { x: positions[at], y: value ?? (stacked ? 0 : null) } : value)),
    borderColor: group.color,
    backgroundColor: faded(group.color, stacked ? 0.55 : 0.16),
    fill: area ? (stacked && index > 0 ? "-1" : "origin") : false,
    borderWidth: xs.length > 120 ? 1.5 : 2,
    pointRadius: xs.length > 40 ? 0 : 2.5,
    pointHoverRadius: 5,
    pointBackgroundColor: group.color,
    pointHoverBorderColor: colors.surface,
    pointHoverBorderWidth: 2,
    cubicInterpolationMode: "monotone",
    spanGaps: false,
  }));
  return {
    titles: xs.map((x) => formatKey(x, column)),
    figures: groups.map((group) => spec.columns[group.figure]),
    config: {
      type: "line",
      data: { labels: continuous ? undefined : xs.map((x) => formatKey(x, column)), datasets },
      options: {
        interaction: { mode: "index", intersect: false },
        scales: {
          x: continuous ? continuousAxis(column, positions, colors) : categoryAxis(column, xs, colors),
          y: { ...figureAxis(spec.columns[spec.y[0]], colors, { zero: area || (range[0] >= 0 && range[0] <= range[1] / 2) }), stacked },
        },
      },
    },
  };
}

// Categories in the order of the tile; with a series, a sort by the figure goes by the total of the category.
function categoriesOf(spec, marks) {
  const all = distinct(sortedMarks(spec, marks).map((mark) => mark[spec.x]));
  if (!spec.series || !spec.sort || !spec.y.includes(spec.sort.column)) return all;
  const total = (x) => marks.filter((mark) => mark[spec.x] === x).reduce((sum, mark) => sum + mark[spec.y[0]], 0);
  const totals = all.map((x) => ({ x, total: total(x) }));
  return sorted(totals, "total", spec.sort.descending).map(({ x }) => x);
}

function barConfig(tile, marks, colors) {
  const { spec } = tile;
  const column = spec.columns[spec.x];
  const horizontal = spec.type === "horizontal_bar";
  const stacked = spec.type === "stacked_bar";
  const categories = categoriesOf(spec, marks);
  const xs = spec.limit ? categories.slice(0, spec.limit) : categories;
  const groups = alignedSets(tile, marks, xs, colors);
  const figure = figureAxis(spec.columns[spec.y[0]], colors, { zero: true });
  const category = (horizontal ? rowAxis : categoryAxis)(column, xs, colors);
  return {
    titles: xs.map((x) => formatKey(x, column)),
    figures: groups.map((group) => spec.columns[group.figure]),
    height: horizontal ? Math.max(160, xs.length * HORIZONTAL_ROW * Math.max(1, groups.length * 0.6) + 40) : undefined,
    note: xs.length < categories.length ? `${xs.length} of ${categories.length} shown` : "",
    config: {
      type: "bar",
      data: {
        labels: xs.map((x) => formatKey(x, column)),
        datasets: groups.map((group) => ({
          label: group.name, data: group.values, backgroundColor: group.color, hoverBackgroundColor: faded(group.color, 0.8),
          borderRadius: stacked ? 0 : 4, maxBarThickness: 44, categoryPercentage: 0.8, barPercentage: 0.9,
        })),
      },
      options: {
        indexAxis: horizontal ? "y" : "x",
        interaction: { mode: "index", axis: horizontal ? "y" : "x", intersect: false },
        scales: horizontal ? { x: { ...figure, stacked }, y: { ...category, stacked } } : { x: { ...category, stacked }, y: { ...figure, stacked } },
      },
    },
  };
}

function scatterConfig(tile, marks, colors) {
  const { spec } = tile;
  const placed = marks.filter((mark) => mark[spec.x] !== null && mark[spec.y[0]] !== null);
  const groups = spec.series ? groupsOf(tile, colors) : [{ name: tile.spec.title, color: colors.series[0], has: () => true }];
  const filled = groups.map((group) => ({ ...group, marks: placed.filter(group.has) })).filter((group) => group.marks.length);
  const sizes = spec.size ? extent(placed.map((mark) => mark[spec.size])) : null;
  const values = spec.value ? placed.map((mark) => mark[spec.value]) : [];
  const range = colorRange(values);
  const radius = (mark) => (sizes ? 3 + 13 * Math.sqrt(Math.max(0, mark[spec.size] ?? 0) / (sizes[1] || 1)) : placed.length > 300 ? 3 : 5);
  const fill = (mark, color) => (range && mark[spec.value] !== null ? rampColor(colors, shareOf(mark[spec.value], range)) : color);
  const [xColumn, yColumn] = [spec.columns[spec.x], spec.columns[spec.y[0]]];
  return {
    points: filled.map((group) => group.marks),
    legend: range ? rampLegend(spec.columns[spec.value], range, values, colors) : null,
    note: spec.size ? `Size: ${spec.columns[spec.size].label.toLowerCase()}` : "",
    config: {
      type: "scatter",
      data: {
        datasets: filled.map((group) => ({
          label: group.name,
          data: group.marks.map((mark) => ({ x: mark[spec.x], y: mark[spec.y[0]] })),
          pointRadius: group.marks.map(radius),
          pointHoverRadius: group.marks.map((mark) => radius(mark) + 2),
          pointBackgroundColor: group.marks.map((mark) => faded(fill(mark, group.color), range ? 0.88 : 0.5)),
          pointBorderColor: group.marks.map((mark) => (range ? colors.surface : fill(mark, group.color))),
          backgroundColor: group.color,
        })),
      },
      options: {
        interaction: { mode: "nearest", intersect: true },
        layout: { padding: 8 },
        scales: {
          x: { ...figureAxis(xColumn, colors, { zero: false, room: 8 }), title: axisTitle(xColumn, colors) },
          y: { ...figureAxis(yColumn, colors, { zero: false }), title: axisTitle(yColumn, colors) },
        },
      },
    },
  };
}

// What the tooltip and the screen reader say of the active elements: [title, lines].
function reading(tile, plan, active) {
  const { spec } = tile;
  if (plan.points) {
    const { datasetIndex, index } = active[0];
    const mark = plan.points[datasetIndex][index];
    const rest = [...spec.keys.slice(1), ...spec.figures];
    const title = spec.keys.length ? formatKey(mark[spec.keys[0]], spec.columns[spec.keys[0]]) : spec.title;
    return [title, rest.map((name) => ({ label: spec.columns[name].label, value: formatValue(mark[name], spec.columns[name]) }))];
  }
  const lines = active.map(({ datasetIndex, index }) => {
    const set = plan.config.data.datasets[datasetIndex];
    const point = set.data[index];
    return {
      label: set.label, color: set.borderColor ?? set.backgroundColor,
      value: formatValue(point !== null && typeof point === "object" ? point.y : point, plan.figures[datasetIndex]),
    };
  });
  return [plan.titles[active[0].index], lines];
}

function htmlLegend(chart) {
  const buttons = chart.data.datasets.map((set, index) => {
    const swatch = element("i");
    swatch.style.background = set.borderColor ?? set.backgroundColor;
    const button = element("button", { type: "button", "aria-pressed": "true" }, swatch, set.label);
    button.addEventListener("click", () => {
      const visible = !chart.isDatasetVisible(index);
      chart.setDatasetVisibility(index, visible);
      button.setAttribute("aria-pressed", String(visible));
      chart.update();
    });
    return button;
  });
  return element("div", { className: "legend", role: "group", "aria-label": "Series" }, ...buttons);
}

// Arrow keys step through the marks, as the mouse does.
function addKeyboard(canvas, chart, tile, plan) {
  let at = -1;
  const stops = () => {
    const visible = chart.getSortedVisibleDatasetMetas();
    if (plan.points) return visible.flatMap((meta) => meta.data.map((_, index) => [{ datasetIndex: meta.index, index }]));
    return plan.titles.map((_, index) => visible.map((meta) => ({ datasetIndex: meta.index, index })));
  };
  const activate = (active) => {
    chart.setActiveElements(active);
    const place = active.length ? chart.getDatasetMeta(active[0].datasetIndex).data[active[0].index] : { x: 0, y: 0 };
    chart.tooltip.setActiveElements(active, { x: place.x, y: place.y });
    chart.update("none");
    if (active.length) announce(spoken(...reading(tile, plan, active)));
  };
  canvas.addEventListener("keydown", (event) => {
    const all = stops();
    const last = all.length - 1;
    const next = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: last, Escape: -1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    at = event.key === "Escape" ? -1 : Math.max(0, Math.min(next, last));
    activate(at >= 0 ? (all[at] ?? []) : []);
  });
  canvas.addEventListener("blur", () => {
    at = -1;
    activate([]);
    hideTip();
  });
}

function drawChart(tile, marks, colors, animate) {
  const { spec, body } = tile;
  const build = spec.type === "scatter" ? scatterConfig : spec.type.endsWith("bar") ? barConfig : lineConfig;
  const plan = build(tile, marks, colors);
  const count = plan.points ? plan.points.flat().length : plan.titles.length;
  const names = spec.y.map((name) => spec.columns[name].label).join(", ");
  const canvas = element("canvas", {
    tabIndex: 0, role: "img",
    "aria-label": `${CHART_WORDS[spec.type]} of ${names} by ${spec.columns[spec.x].label}, ${plural(count, "point")}. Arrow keys read the values.`,
  });
  const frame = element("div", { className: "chart" }, canvas);
  if (plan.height) frame.style.height = `${plan.height}px`;
  body.append(frame);
  Object.assign(plan.config.options, {
    responsive: true,
    maintainAspectRatio: false,
    animation: animate ? { duration: 250 } : false,
    plugins: {
      legend: { display: false },
      tooltip: {
        enabled: false,
        external: ({ chart, tooltip }) => {
          if (!tooltip.opacity || !tooltip.dataPoints?.length) return hideTip();
          const { left, top } = chart.canvas.getBoundingClientRect();
          const active = tooltip.dataPoints.map(({ datasetIndex, dataIndex }) => ({ datasetIndex, index: dataIndex }));
          return showTip(...reading(tile, plan, active), left + tooltip.caretX, top + tooltip.caretY);
        },
      },
    },
  });
  tile.chart = new Chart(canvas, plan.config);
  if (plan.legend) body.prepend(plan.legend);
  else if (plan.config.data.datasets.length > 1) body.prepend(htmlLegend(tile.chart));
  addKeyboard(canvas, tile.chart, tile, plan);
  return plan.note ?? "";
}
