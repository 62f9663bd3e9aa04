// A grid of settings without a page: cells counted from the left and from below, their places, borders and words.
import { CLASS_COLOURS } from "./matching.js";
import { format, ticks } from "./playback.js";
import { valueText } from "./values.js";

// The sixth of the theme's colours is a grey: it comes last, for it stands for all others where there are more classes.
const GREY = 5;
const RANK_COLOURS = [...Array.from({ length: CLASS_COLOURS }, (_, index) => index).filter((each) => each !== GREY), GREY];

/**
 * @typedef {object} GridAxis
 * @property {string} name
 * @property {string} label
 * @property {string} unit
 * @property {number} neutral
 * @property {number[]} values evenly spaced, rising or falling
 */
/** @typedef {{column: number, row: number}} Cell */
/** @typedef {{left: number, top: number, width: number, height: number}} Plot */

/**
 * The cell under a point, or null outside the plot.
 * @param {number} x @param {number} y @param {Plot} plot @param {number} columns @param {number} rows
 * @returns {Cell|null}
 */
export function cellAt(x, y, plot, columns, rows) {
  const column = Math.floor(((x - plot.left) / plot.width) * columns);
  const row = Math.floor((1 - (y - plot.top) / plot.height) * rows);
  return column >= 0 && column < columns && row >= 0 && row < rows ? { column, row } : null;
}

/**
 * Where a value lies on an axis, counted in cells from the outer edge of the first; null beyond the edges.
 * @param {number[]} values @param {number} value
 */
export function placeOn(values, value) {
  const last = values.length - 1;
  const place = ((value - values[0]) / (values[last] - values[0])) * last + 0.5;
  return place >= 0 && place <= values.length ? place : null;
}

/**
 * The cell of a setting, or null where it names other parameters or lies beyond the grid.
 * @param {GridAxis[]} axes across and up @param {Record<string, number>} setting
 * @returns {Cell|null}
 */
export function cellOf(axes, setting) {
  const [column, row] = axes.map(({ name, values }) => {
    const place = Number.isFinite(setting[name]) ? placeOn(values, setting[name]) : null;
    return place === null ? null : Math.min(values.length - 1, Math.floor(place));
  });
  return column === null || row === null ? null : { column, row };
}

/**
 * Where a key leads from a cell; null for a key that leads nowhere.
 * @param {Cell} cell @param {string} key @param {number} columns @param {number} rows
 * @returns {Cell|null}
 */
export function moved({ column, row }, key, columns, rows) {
  const targets = {
    ArrowLeft: [column - 1, row], ArrowRight: [column + 1, row], ArrowDown: [column, row - 1], ArrowUp: [column, row + 1],
    Home: [0, row], End: [columns - 1, row], PageUp: [column, rows - 1], PageDown: [column, 0],
  };
  if (!Object.hasOwn(targets, key)) return null;
  const [x, y] = targets[key];
  return { column: Math.max(0, Math.min(columns - 1, x)), row: Math.max(0, Math.min(rows - 1, y)) };
}

/**
 * The lines between cells of different classes, each as long as it runs straight, in cells from the lower left corner.
 * @param {ArrayLike<number>} ranks row by row from below @param {number} columns @param {number} rows
 * @returns {[number, number, number, number][]} x and y of both ends
 */
export function classBorders(ranks, columns, rows) {
  const upright = runs(columns, rows, (x, y) => ranks[y * columns + x - 1] !== ranks[y * columns + x]);
  const level = runs(rows, columns, (y, x) => ranks[(y - 1) * columns + x] !== ranks[y * columns + x]);
  return [
    ...upright.map(([x, from, to]) => [x, from, x, to]),
    ...level.map(([y, from, to]) => [from, y, to, y]),
  ];
}

/** Of `lines` − 1 lines between cells, the stretches `[line, from, to]` on which something holds. */
function runs(lines, length, holds) {
  const found = [];
  for (let line = 1; line < lines; line++)
    for (let place = 0, from = -1; place <= length; place++) {
      const on = place < length && holds(line, place);
      if (on && from < 0) from = place;
      if (!on && from >= 0) {
        found.push([line, from, place]);
        from = -1;
      }
    }
  return found;
}

/** Which entry of the legend a class has, by its rank. @param {number} rank */
export const legendPlace = (rank) => Math.min(rank, CLASS_COLOURS - 1);

/** Which of the theme's colours a class has, by its rank. @param {number} rank */
export const rankColour = (rank) => RANK_COLOURS[legendPlace(rank)];

/**
 * What the legend says, the most frequent class first.
 * @param {string[]} names @param {number[]} counts
 * @returns {{name: string, share: string, colour: number}[]}
 */
export function legendOf(names, counts) {
  const total = counts.reduce((a, b) => a + b, 0);
  const own = names.length > CLASS_COLOURS ? CLASS_COLOURS - 1 : names.length;
  const entries = names.slice(0, own).map((name, rank) => ({ name, share: percent(counts[rank], total), colour: rankColour(rank) }));
  if (own === names.length) return entries;
  const rest = counts.slice(own).reduce((a, b) => a + b, 0);
  return [...entries, { name: `${names.length - own} others`, share: percent(rest, total), colour: rankColour(own) }];
}

/** Only what is all of it is written as 100 %, and nothing that there is as none. */
function percent(count, total) {
  if (count === total) return "100 %";
  return 100 * count < total ? "< 1 %" : `${Math.min(99, Math.round((100 * count) / total))} %`;
}

/**
 * A setting of the grid, its prediction and its score, in words.
 * @param {any} surface axes, names, ranks, scores, best, target, value_axis @param {Cell} cell
 */
export function cellWords(surface, { column, row }) {
  const { axes, names, ranks, scores, best, target, value_axis: axis } = surface;
  const index = row * axes[0].values.length + column;
  const where = [column, row].map((each, k) => `${axes[k].label} ${format(axes[k].values[each], axes[k].unit)}`).join(", ");
  const state = names[ranks[index]];
  const own = `${target} ${valueText(scores[index], axis)}`;
  if (!best) return `${where}: ${own} (${state})`;
  return `${where}: ${state} ${valueText(best[index], axis)}${state === target ? "" : ` · ${own}`}`;
}

/** The whole grid in one sentence. @param {any} surface */
export function gridWords({ axes, names, counts }) {
  const settings = axes[0].values.length * axes[1].values.length;
  if (names.length === 1) return `${names[0]} in all of ${settings} settings`;
  const rest = names.length === 2 ? `${names[1]} in ${counts[1]}` : `${names.length - 1} others elsewhere`;
  return `${names[0]} in ${counts[0]} of ${settings} settings, ${rest}`;
}

/**
 * Places for ticks on an axis: as many as there is room for at one distance, or nearly one where no number fits.
 * @param {number[]} values @param {number} most at least 2
 * @returns {number[]} indices of values
 */
export function evenTicks(values, most) {
  const steps = values.length - 1;
  for (let count = Math.min(most, values.length); count > 2; count--)
    if (steps % (count - 1) === 0) return ticks(values, count);
  return ticks(values, most);
}

/**
 * As much of a text as fits, with an ellipsis where it was cut.
 * @param {string} text @param {number} width @param {(text: string) => number} measure
 */
export function fitted(text, width, measure) {
  if (measure(text) <= width) return text;
  const letters = [...text];
  let low = 0;
  for (let high = letters.length; low < high; ) {
    const middle = Math.ceil((low + high) / 2);
    if (measure(`${letters.slice(0, middle).join("")}…`) <= width) low = middle;
    else high = middle - 1;
  }
  return `${letters.slice(0, low).join("").trimEnd()}…`;
}
