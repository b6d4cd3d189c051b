// Values as readers see them.
const NO_VALUE = "\u2013";
const LOCALE = "en-GB";
const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const NUMBER_FORMATS = new Set(["integer", "decimal", "percent", "currency", "compact"]);

const dateFormats = {
  date: new Intl.DateTimeFormat(LOCALE, { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" }),
  month: new Intl.DateTimeFormat(LOCALE, { month: "short", year: "numeric", timeZone: "UTC" }),
  datetime: new Intl.DateTimeFormat(LOCALE, {
    day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZone: "UTC",
  }),
};

const numberFormats = new Map();

function intl(options) {
  const key = JSON.stringify(options);
  if (!numberFormats.has(key)) numberFormats.set(key, new Intl.NumberFormat(LOCALE, options));
  return numberFormats.get(key);
}

// Dates arrive as ISO 8601 without a zone and mean UTC.
function toTime(iso) {
  return Date.parse(iso.length > 10 ? `${iso}Z` : `${iso}T00:00:00Z`);
}

function isTime(column) {
  return column.kind === "date" || column.kind === "datetime";
}

function fractionDigits(value) {
  const size = Math.abs(value);
  if (size >= 1000) return { maximumFractionDigits: 0 };
  if (size >= 1 || size === 0) return { minimumFractionDigits: 1, maximumFractionDigits: 1 };
  return { maximumSignificantDigits: 2 };
}

function formatNumber(value, column) {
  switch (column.format) {
    case "percent":
      return intl({ style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(value);
    case "currency":
      return intl({ style: "currency", currency: column.unit, maximumFractionDigits: Math.abs(value) >= 1000 ? 0 : 2 }).format(value);
    case "compact":
      return intl({ notation: "compact", maximumFractionDigits: 1 }).format(value);
    case "integer":
      return intl({ maximumFractionDigits: 0 }).format(value);
    default:
      return intl(fractionDigits(value)).format(value);
  }
}

function withUnit(text, column) {
  return column.unit && column.format !== "currency" ? `${text}\u00a0${column.unit}` : text;
}

// Without its unit, for places that name the unit once.
function formatBare(value, column) {
  if (value === null || value === undefined) return NO_VALUE;
  if (column.format === "weekday") return WEEKDAYS[value - 1] ?? String(value);
  if (column.format === "hour") return `${String(value).padStart(2, "0")}:00`;
  if (column.format in dateFormats) return dateFormats[column.format].format(toTime(value));
  if (column.kind === "boolean") return value ? "Yes" : "No";
  if (typeof value === "number" && NUMBER_FORMATS.has(column.format)) return formatNumber(value, column);
  return String(value);
}

function formatValue(value, column) {
  if (value === null || value === undefined) return NO_VALUE;
  return withUnit(formatBare(value, column), column);
}

// A key of a mark: null is a category like any other and needs a name.
function formatKey(value, column) {
  return value === null ? "(none)" : formatValue(value, column);
}

// Short enough to head a column of a heatmap.
function formatHead(value, column) {
  return column.format === "hour" && value !== null ? String(value).padStart(2, "0") : value === null ? "(none)" : formatBare(value, column);
}

// Short enough for an axis.
function formatTick(value, column) {
  if (column.format === "percent") return intl({ style: "percent", maximumFractionDigits: 1 }).format(value);
  if (column.format === "currency") {
    return intl({ style: "currency", currency: column.unit, notation: "compact", maximumFractionDigits: 1 }).format(value);
  }
  if (!NUMBER_FORMATS.has(column.format)) return formatBare(value, column);
  return intl(Math.abs(value) >= 1000 ? { notation: "compact", maximumFractionDigits: 2 } : { maximumFractionDigits: 3 }).format(value);
}

function plural(count, word) {
  return `${intl({}).format(count)} ${word}${count === 1 ? "" : "s"}`;
}
