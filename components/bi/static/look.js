// Small things every tile shares: elements, the colours of the theme, the tooltip.

function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in node) node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

// Custom properties hold light-dark() pairs, which only a real property resolves.
const probe = document.body.appendChild(element("span", { hidden: true }));

function themeColor(name) {
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
}

function channels(color) {
  return color.match(/[\d.]+/g).slice(0, 3).map(Number);
}

function faded(color, alpha) {
  return `rgba(${channels(color).join(", ")}, ${alpha})`;
}

function themeColors() {
  return {
    series: [1, 2, 3, 4, 5, 6, 7, 8].map((number) => themeColor(`series-${number}`)),
    ramp: [0, 1, 2, 3, 4].map((number) => channels(themeColor(`ramp-${number}`))),
    text: themeColor("text"),
    muted: themeColor("muted"),
    line: themeColor("line"),
    surface: themeColor("surface"),
  };
}

// A colour of the sequential scale for a share of 0 to 1.
function rampColor(colors, share) {
  const place = Math.min(Math.max(share, 0), 1) * (colors.ramp.length - 1);
  const from = Math.min(Math.floor(place), colors.ramp.length - 2);
  const mixed = colors.ramp[from].map((value, index) => Math.round(value + (colors.ramp[from + 1][index] - value) * (place - from)));
  return `rgb(${mixed.join(", ")})`;
}

function shareOf(value, [least, most]) {
  return most > least ? (value - least) / (most - least) : 0.5;
}

// The range that colours span: a few extreme values do not wash out all the others.
function colorRange(values) {
  const numbers = values.filter((value) => value !== null).sort((a, b) => a - b);
  if (!numbers.length) return null;
  const at = (share) => numbers[Math.round(share * (numbers.length - 1))];
  const slack = (at(0.95) - at(0.05)) / 2;
  return [Math.max(numbers[0], at(0.05) - slack), Math.min(numbers.at(-1), at(0.95) + slack)];
}

function rampLegend(column, range, values, colors) {
  const [least, most] = extent(values);
  const scale = element("span", { className: "ramp" });
  scale.style.background = `linear-gradient(90deg, ${[0, 0.25, 0.5, 0.75, 1].map((share) => rampColor(colors, share)).join(", ")})`;
  return element(
    "div", { className: "legend" },
    element("span", {}, column.label),
    element("span", {}, `${least < range[0] ? "\u2264\u00a0" : ""}${formatValue(range[0], column)}`),
    scale,
    element("span", {}, `${most > range[1] ? "\u2265\u00a0" : ""}${formatValue(range[1], column)}`),
  );
}

const tip = document.getElementById("tip");

// Lines are { label, value, color }; the point is in the coordinates of the window.
function showTip(title, lines, x, y) {
  tip.replaceChildren(
    element("strong", {}, title),
    ...lines.map(({ label, value, color }) => {
      const swatch = element("i");
      if (color) swatch.style.background = color;
      else swatch.hidden = true;
      return element("div", {}, swatch, element("span", {}, label), element("b", {}, value));
    }),
  );
  tip.hidden = false;
  const { width, height } = tip.getBoundingClientRect();
  const room = document.documentElement.clientWidth;
  const left = x + 14 + width > room - 8 ? x - width - 14 : x + 14;
  tip.style.left = `${Math.max(8, Math.min(left, room - width - 8))}px`;
  tip.style.top = `${Math.max(8, Math.min(y - height / 2, window.innerHeight - height - 8))}px`;
}

function hideTip() {
  tip.hidden = true;
}

function announce(text) {
  document.getElementById("announcement").textContent = text;
}

function spoken(title, lines) {
  return `${title}: ${lines.map(({ label, value }) => `${label} ${value}`).join(", ")}`;
}
