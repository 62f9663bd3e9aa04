// An impact without a page: what travelled as buffers read as numbers, samples filtered, and what is said of them.
import { bytes } from "./payload.js";

/**
 * @typedef {object} ImpactPath one path of K places, see impact/view.py
 * @property {string} label
 * @property {string} axis
 * @property {string} unit
 * @property {number|null} neutral
 * @property {number[]} strengths rising
 * @property {string[]} told
 * @property {string[]} marks
 * @property {Record<string, Float32Array>} curves by metric, of each group value, low and high at every place
 * @property {Int32Array} changed how many flipped, are no longer right, are right now
 * @property {{low: number, high: number, ends: string[], sentence: string, classes: Record<string, string[]>}|null} safe
 * @property {string} [unsafe] why there is no safe range
 * @property {Uint16Array|Uint32Array} predicted of every listed sample at every place
 * @property {Uint16Array} scores
 * @property {Uint32Array} order
 * @property {Float32Array} first
 * @property {[number, number, number][][]} pairs
 */
/** @typedef {{caption: string, note: string, has_labels: boolean, sealed: boolean, metrics: string[], resting: Record<string, Float32Array>, names: string[], groups: [string, number][], samples: any, paths: ImpactPath[]}} ImpactData */
/** @typedef {{kind: string, groups: number[]|null, pair: [number, number]|null}} Wanted which samples are listed */

// Which samples are listed: all, those of another prediction than when neutral, those that are no longer right.
export const KINDS = ["all", "flipped", "right → wrong"];
const FULL = 65535;

/**
 * The numbers of a buffer; copied, for its offset need not be a multiple of their size.
 * @template T
 * @param {DataView} view
 * @param {new (buffer: ArrayBuffer) => T} Kind
 * @returns {T}
 */
const numbersOf = (view, Kind) => new Kind(bytes(view).slice().buffer);

/**
 * @param {any} payload see impact/view.py
 * @returns {ImpactData}
 */
export function readImpact(payload) {
  const { rows, groups, labels, neutral, names } = payload.samples;
  const samples = {
    rows: numbersOf(rows, Uint32Array), groups: numbersOf(groups, Int32Array), labels: numbersOf(labels, Int32Array),
    neutral: numbersOf(neutral, Int32Array), names,
  };
  const cells = (path) => names.length * path.strengths.length;
  const paths = payload.paths.map((path) => ({
    ...path,
    curves: Object.fromEntries(Object.entries(path.curves).map(([name, view]) => [name, numbersOf(view, Float32Array)])),
    changed: numbersOf(path.changed, Int32Array),
    predicted: numbersOf(path.predicted, path.predicted.byteLength === 4 * cells(path) ? Uint32Array : Uint16Array),
    scores: numbersOf(path.scores, Uint16Array),
    order: numbersOf(path.order, Uint32Array),
    first: numbersOf(path.first, Float32Array),
  }));
  const resting = Object.fromEntries(Object.entries(payload.resting).map(([name, view]) => [name, numbersOf(view, Float32Array)]));
  return { ...payload, samples, paths, resting };
}

/**
 * A curve with its interval, K numbers each.
 * @param {ImpactPath} path
 * @param {string} metric
 * @param {number} group 0 for all, from 1 for the classes
 */
export function curveOf(path, metric, group) {
  const count = path.strengths.length;
  const part = (index) => path.curves[metric].subarray((3 * group + index) * count, (3 * group + index + 1) * count);
  return { value: part(0), low: part(1), high: part(2) };
}

/** Where on a path a strength is, or the nearest to it. @param {number[]} strengths @param {number} strength */
export const nearestPlace = (strengths, strength) =>
  strengths.reduce((best, each, place) => (Math.abs(each - strength) < Math.abs(strengths[best] - strength) ? place : best), 0);

/** The place at which most is lost, where one looks first. @param {ImpactPath} path @param {string} metric */
export const worstPlace = (path, metric) =>
  curveOf(path, metric, 0).value.reduce((worst, each, place, all) => (each < all[worst] ? place : worst), 0);

/**
 * What is known of a listed sample at a place: classes as numbers of names, −1 where the right one is not known.
 * @param {ImpactData} impact @param {ImpactPath} path @param {number} sample @param {number} place
 */
export function answerOf(impact, path, sample, place) {
  const cell = sample * path.strengths.length + place;
  const [label, before, after] = [impact.samples.labels[sample], impact.samples.neutral[sample], path.predicted[cell]];
  const right = impact.has_labels ? label : before;
  return { label, before, after, flipped: before !== after, lost: before === right && after !== right, wrong: after !== right, score: path.scores[cell] / FULL };
}

/**
 * The listed samples that are wanted, the least robust first.
 * @param {ImpactData} impact @param {ImpactPath} path @param {number} place @param {Wanted} wanted
 * @returns {number[]}
 */
export function wantedSamples(impact, path, place, { kind, groups, pair }) {
  const found = [];
  for (const sample of path.order) {
    if (groups && !groups.includes(impact.samples.groups[sample])) continue;
    const { before, after, flipped, lost } = answerOf(impact, path, sample, place);
    if ((kind === KINDS[1] && !flipped) || (kind === KINDS[2] && !lost)) continue;
    if (pair && (before !== pair[0] || after !== pair[1])) continue;
    found.push(sample);
  }
  return found;
}

/**
 * Where a sample first flips on each side of neutral, in words.
 * @param {ImpactPath} path @param {number} sample
 */
export function flipWords(path, sample) {
  const ends = [path.first[2 * sample], path.first[2 * sample + 1]].filter(Number.isFinite);
  if (path.neutral === null) return "";
  const marks = ends.map((end) => path.marks[nearestPlace(path.strengths, end)]);
  return marks.length ? `flips at ${marks.join(" and ")}` : "never flips";
}

/**
 * How many of all samples changed at a place, in words.
 * @param {ImpactData} impact @param {ImpactPath} path @param {number} place @param {number} total of all samples
 */
export function changeWords(impact, path, place, total) {
  const count = path.strengths.length;
  const [flipped, lost, gained] = [0, 1, 2].map((row) => path.changed[row * count + place]);
  const told = `${flipped.toLocaleString("en")} of ${total.toLocaleString("en")} have another prediction than when neutral`;
  return impact.has_labels ? `${told}; ${lost.toLocaleString("en")} right → wrong, ${gained.toLocaleString("en")} wrong → right` : told;
}

/**
 * Classes by how they fare on a path, the least robust first; those whose names hold all the words.
 * @param {ImpactData} impact @param {ImpactPath} path @param {string} metric @param {string} text
 * @returns {number[]} from 0
 */
export function rankedGroups(impact, path, metric, text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const mean = (group) => curveOf(path, metric, group + 1).value.reduce((sum, each) => sum + each, 0);
  return impact.groups
    .map(([name], group) => ({ group, name: name.toLowerCase(), mean: mean(group) }))
    .filter(({ name }) => words.every((word) => name.includes(word)))
    .sort((one, other) => one.mean - other.mean)
    .map(({ group }) => group);
}

/** @param {number} share @param {number} [decimals] */
export const percentText = (share, decimals = 1) => (Number.isFinite(share) ? `${(100 * share).toFixed(decimals)}%` : "–");

/** A difference in percentage points, with its sign. @param {number} difference */
export function pointsText(difference) {
  const digits = Math.abs(100 * difference).toFixed(1);
  return Number(digits) === 0 ? "±0" : `${difference < 0 ? "−" : "+"}${digits}`;
}
