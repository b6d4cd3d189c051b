// Axes: dates where they fall, numbers where they fall, categories side by side.
const HOUR = 3600000;
const LENGTHS = { hour: HOUR, day: 24 * HOUR, month: 30.44 * 24 * HOUR, year: 365.25 * 24 * HOUR };
const STEPS = [
  ["hour", 1], ["hour", 3], ["hour", 6], ["hour", 12], ["day", 1], ["day", 2], ["day", 7], ["day", 14],
  ["month", 1], ["month", 2], ["month", 3], ["month", 6], ["year", 1], ["year", 2], ["year", 5], ["year", 10], ["year", 50],
];
const FINEST = { month: "month", date: "day" };
const tickFormats = {
  hour: new Intl.DateTimeFormat(LOCALE, { hour: "2-digit", minute: "2-digit", timeZone: "UTC" }),
  day: new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short", timeZone: "UTC" }),
  month: new Intl.DateTimeFormat(LOCALE, { month: "short", timeZone: "UTC" }),
  year: new Intl.DateTimeFormat(LOCALE, { year: "numeric", timeZone: "UTC" }),
};

// Round moments between two times, at most `room` of them, none finer than the column's format can say.
function timeTicks(least, most, room, format) {
  const units = Object.keys(LENGTHS);
  const steps = STEPS.filter(([unit]) => units.indexOf(unit) >= units.indexOf(FINEST[format] ?? "hour"));
  const [unit, step] = steps.find(([name, count]) => (most - least) / (LENGTHS[name] * count) <= room) ?? steps.at(-1);
  const ticks = [];
  const first = new Date(least);
  for (let number = 0; ; number += 1) {
    const time = tickTime(first, unit, step, number);
    if (time > most) break;
    if (time >= least) ticks.push({ value: time, unit });
  }
  return ticks;
}

function tickTime(first, unit, step, number) {
  if (unit === "year") return Date.UTC(first.getUTCFullYear() - (first.getUTCFullYear() % step) + number * step, 0, 1);
  if (unit === "month") return Date.UTC(first.getUTCFullYear(), first.getUTCMonth() - (first.getUTCMonth() % step) + number * step, 1);
  const length = LENGTHS[unit] * step;
  return (Math.floor(first.getTime() / length) + number) * length;
}

function timeLabel(tick, index) {
  const label = tickFormats[tick.unit].format(tick.value);
  const yearStarts = tick.unit === "month" && (index === 0 || new Date(tick.value).getUTCMonth() === 0);
  return yearStarts ? [label, tickFormats.year.format(tick.value)] : label;
}

function axisTitle(column, colors) {
  return { display: true, text: withUnit(column.label, column.unit ? { unit: `(${column.unit})` } : {}), color: colors.muted, font: { size: 12 } };
}

// The axis of what is measured.
function figureAxis(column, colors, { zero, grid = true, room = 7 }) {
  return {
    beginAtZero: zero,
    border: { display: false },
    grid: { display: grid, color: colors.line, drawTicks: false },
    ticks: { color: colors.muted, padding: 8, maxTicksLimit: room, callback: (value) => formatTick(value, column) },
  };
}

// The axis of a line's x, true to the distances between its values.
function continuousAxis(column, values, colors) {
  const [least, most] = extent(values);
  const around = least < most ? 0 : isTime(column) ? 12 * HOUR : 1; // a single point has no distances yet
  const axis = {
    type: "linear", min: least - around, max: most + around,
    border: { color: colors.line },
    grid: { display: false },
    ticks: { color: colors.muted, maxRotation: 0, padding: 6, autoSkipPadding: 12 },
  };
  if (isTime(column)) {
    axis.afterBuildTicks = (scale) => {
      scale.ticks = timeTicks(scale.min, scale.max, Math.max(2, Math.floor(scale.chart.width / 70)), column.format);
    };
    axis.ticks.callback = (value, index, ticks) => timeLabel(ticks[index], index);
    axis.ticks.autoSkip = false;
  } else {
    axis.ticks.precision = values.every(Number.isInteger) ? 0 : undefined;
    axis.ticks.callback = (value) => formatTick(value, column);
  }
  return axis;
}

const LABEL_CHARACTER = 6.2;

// Categories under bars: dates short, words over several lines, none left out while there are few.
function categoryAxis(column, xs, colors) {
  const dates = isTime(column);
  const unit = column.format === "month" ? "month" : "day";
  return {
    type: "category",
    border: { color: colors.line },
    grid: { display: false },
    ticks: {
      color: colors.muted, maxRotation: 0, autoSkip: dates || xs.length > 16, autoSkipPadding: 8, padding: 4,
      callback(_, index) {
        const value = xs[index];
        if (dates && value !== null) return timeLabel({ value: toTime(value), unit }, index);
        return wrapped(formatKey(value, column), Math.max(6, Math.floor(this.chart.width / xs.length / LABEL_CHARACTER)));
      },
    },
  };
}

// Categories beside horizontal bars: all of them, cut where they would take more than a part of the width.
function rowAxis(column, xs, colors) {
  return {
    type: "category",
    border: { display: false },
    grid: { display: false },
    ticks: {
      color: colors.muted, autoSkip: false, padding: 4,
      callback(_, index) {
        return shortened(formatKey(xs[index], column), Math.floor((this.chart.width * 0.42) / LABEL_CHARACTER));
      },
    },
  };
}

function shortened(text, room) {
  return text.length > room ? `${text.slice(0, room - 1).trimEnd()}\u2026` : text;
}

function wrapped(text, room) {
  const lines = [];
  for (const word of text.split(" ")) {
    const longer = `${lines.at(-1)} ${word}`;
    if (lines.length && longer.length <= room) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines.map((line) => shortened(line, Math.max(room, 12)));
}
