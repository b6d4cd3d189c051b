// A figure, how it moved, and its sparkline.
const SVG = "http://www.w3.org/2000/svg";
const SPARK = { width: 240, height: 44, margin: 4 };

function shape(tag, attributes) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  return node;
}

function sparkline(points, label) {
  const [least, most] = extent(points.map(({ value }) => value));
  const { width, height, margin } = SPARK;
  const x = (index) => margin + (index * (width - 2 * margin)) / Math.max(1, points.length - 1);
  const y = (value) => height - margin - shareOf(value, [least, most]) * (height - 2 * margin);
  const path = points.map(({ value }, index) => `${index ? "L" : "M"}${x(index).toFixed(1)} ${y(value).toFixed(1)}`).join("");
  const svg = shape("svg", { viewBox: `0 0 ${width} ${height}`, class: "spark", role: "img", "aria-label": label, preserveAspectRatio: "none" });
  svg.append(
    shape("path", { d: `${path}L${x(points.length - 1).toFixed(1)} ${height}L${x(0).toFixed(1)} ${height}Z`, class: "spark-area" }),
    shape("path", { d: path, class: "spark-line" }),
  );
  return svg;
}

// The last period against the one before: means and shares by difference, totals by ratio.
function changeOf(column, last, previous) {
  const difference = last - previous;
  const sign = difference > 0 ? "+" : difference < 0 ? "\u2212" : "\u00b1";
  if (column.format === "percent") return { difference, text: `${sign}${formatNumber(Math.abs(difference) * 100, { format: "decimal" })}\u00a0pp` };
  if (column.aggregate === "mean" || previous <= 0) return { difference, text: `${sign}${formatValue(Math.abs(difference), column)}` };
  return { difference, text: `${sign}${intl({ style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(Math.abs(difference / previous))}` };
}

function drawMetric(tile, dataset, rows, filtered) {
  const { spec, body } = tile;
  const column = spec.columns[spec.value];
  const total = marksOf(spec, dataset, rows, [])[0][spec.value];
  const figure = element("p", { className: "figure" }, formatBare(total, column));
  if (column.unit && column.format !== "currency") figure.append(element("small", {}, ` ${column.unit}`));
  body.append(figure);
  if (spec.trend) drawTrend(tile, dataset, rows, column);
  if (!filtered) return "";
  return `All: ${formatValue(marksOf(spec, dataset, dataset.rows, [])[0][spec.value], column)}`;
}

function drawTrend(tile, dataset, rows, column) {
  const { spec, body } = tile;
  const period = spec.columns[spec.trend];
  const points = sorted(marksOf(spec, dataset, rows, [spec.trend]), spec.trend)
    .filter((mark) => mark[spec.trend] !== null && mark[spec.value] !== null)
    .map((mark) => ({ period: formatKey(mark[spec.trend], period), value: mark[spec.value] }));
  if (points.length < 2) return;
  const [previous, last] = points.slice(-2);
  const { difference, text } = changeOf(column, last.value, previous.value);
  const good = spec.better && difference !== 0 ? ((difference > 0) === (spec.better === "higher") ? "good" : "bad") : "even";
  const arrow = difference > 0 ? "\u25b2" : difference < 0 ? "\u25bc" : "\u25c6";
  const spark = sparkline(points, `${spec.title} from ${points[0].period} to ${last.period}`);
  const frame = element("div", { className: "spark-frame" }, spark);
  frame.addEventListener("mousemove", (event) => {
    const box = frame.getBoundingClientRect();
    const index = Math.round(((event.clientX - box.left) / box.width) * (points.length - 1));
    const point = points[Math.max(0, Math.min(index, points.length - 1))];
    showTip(point.period, [{ label: column.label, value: formatValue(point.value, column) }], event.clientX, event.clientY);
  });
  frame.addEventListener("mouseleave", hideTip);
  body.append(
    frame,
    element(
      "p", { className: "change" },
      element("span", { className: `chip ${good}` }, element("span", { "aria-hidden": "true" }, `${arrow} `), text),
      element("span", { className: "period" }, `${last.period} vs ${previous.period}`),
    ),
  );
}
