// From the rows of a query to the marks of a tile: filter, group, aggregate, sort.

// The rows that pass every chosen filter whose column the query gives.
function filteredRows(dataset, chosen) {
  const tests = chosen
    .map(({ column, value }) => [dataset.columns.indexOf(column), value])
    .filter(([index]) => index >= 0);
  return tests.length ? dataset.rows.filter((row) => tests.every(([index, value]) => row[index] === value)) : dataset.rows;
}

function aggregate(column, values, weights) {
  const present = values.map((value, index) => [value, weights ? weights[index] : 1]).filter(([value, weight]) => value !== null && weight !== null);
  if (!present.length) return null;
  switch (column.aggregate) {
    case "sum":
      return present.reduce((total, [value]) => total + value, 0);
    case "mean": {
      const weight = present.reduce((total, [, w]) => total + w, 0);
      return weight ? present.reduce((total, [value, w]) => total + value * w, 0) / weight : null;
    }
    case "min":
      return present.reduce((least, [value]) => Math.min(least, value), Infinity);
    case "max":
      return present.reduce((most, [value]) => Math.max(most, value), -Infinity);
    default:
      return present[0][0];
  }
}

// Marks: one object a mark, its keys and figures by column name.
function marksOf(spec, dataset, rows, keys) {
  const at = (name) => dataset.columns.indexOf(name);
  const shown = [...keys, ...spec.figures];
  if (!spec.grouped) return rows.map((row) => Object.fromEntries(shown.map((name) => [name, row[at(name)]])));
  const keyIndexes = keys.map(at);
  const groups = new Map();
  for (const row of rows) {
    const key = JSON.stringify(keyIndexes.map((index) => row[index]));
    if (groups.has(key)) groups.get(key).push(row);
    else groups.set(key, [row]);
  }
  return [...groups.values()].map((group) => {
    const mark = Object.fromEntries(keys.map((name) => [name, group[0][at(name)]]));
    for (const name of spec.figures) {
      const column = spec.columns[name];
      const weights = column.weight ? group.map((row) => row[at(column.weight)]) : null;
      mark[name] = aggregate(column, group.map((row) => row[at(name)]), weights);
    }
    return mark;
  });
}

// Null stands last, whichever way round.
function compareValues(a, b, descending) {
  if (a === null || b === null) return (a === null) - (b === null);
  const order = typeof a === "number" && typeof b === "number" ? a - b : a < b ? -1 : a > b ? 1 : 0;
  return descending ? -order : order;
}

function sorted(marks, name, descending = false) {
  return [...marks].sort((a, b) => compareValues(a[name], b[name], descending));
}

function distinct(values) {
  return [...new Set(values)];
}

function sortedMarks(spec, marks) {
  if (spec.sort) return sorted(marks, spec.sort.column, spec.sort.descending);
  return spec.x && spec.type !== "scatter" && spec.columns[spec.x].ordered ? sorted(marks, spec.x) : marks;
}

function extent(values) {
  const numbers = values.filter((value) => value !== null);
  return numbers.length ? [Math.min(...numbers), Math.max(...numbers)] : null;
}
