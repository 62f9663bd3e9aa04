// The axis of scores or other values, in the browser: numbers read and lie as values.py has it.

// Beyond these places a value is written with a power of ten.
const MOST_DECIMALS = 6;
// What is nearer to 0 is 0, but for the rounding of computers.
const NOTHING = 1e-10;

/**
 * @typedef {object} ValueAxis
 * @property {number} minimum
 * @property {number} maximum
 * @property {string} unit
 * @property {number|null} decimals null: by a power of ten
 */

/**
 * A value as a person reads it, with a true minus sign and its unit.
 * @param {number} value
 * @param {ValueAxis} axis
 * @param {number} [more] decimal places beyond those of the axis
 */
export function valueText(value, axis, more = 0) {
  if (!Number.isFinite(value)) return "–";
  return numberText(value, axis.decimals === null ? null : axis.decimals + more) + (axis.unit && ` ${axis.unit}`);
}

/**
 * A number with a true minus sign; what is none is a dash.
 * @param {number|null|undefined} value
 * @param {number|null} decimals null: by a power of ten
 */
export function numberText(value, decimals) {
  if (value == null || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  const text = decimals === null ? size.toExponential(2).replace("e+", "e") : size.toFixed(decimals);
  return value < 0 && Number(text) !== 0 ? `−${text}` : text;
}

/**
 * The same, but with two digits where it would read as 0 and is not.
 * @param {number} value
 * @param {number} decimals
 */
export function fineNumberText(value, decimals) {
  const size = Math.abs(value);
  if (!(size > NOTHING && size < Infinity) || Number(size.toFixed(decimals)) !== 0) return numberText(value, decimals);
  const needed = 1 - Math.floor(Math.log10(size));
  return numberText(value, needed <= MOST_DECIMALS ? needed : null);
}

/**
 * Where a value lies between the two ends, from 0 to 1.
 * @param {number} value
 * @param {ValueAxis} axis
 */
export function valueShare(value, { minimum, maximum }) {
  return Math.min(1, Math.max(0, (value - minimum) / (maximum - minimum) || 0));
}

/**
 * Round values inside an axis, at least three, with what is written at them.
 * @param {ValueAxis} axis
 * @returns {{value: number, text: string}[]}
 */
export function valueTicks({ minimum, maximum }) {
  const span = maximum - minimum;
  const power = 10 ** Math.floor(Math.log10(span / 2) + 1e-9);
  // A third tick fits where the ends are no multiples of the step, too.
  const step = [5, 2, 1, 0.5].map((factor) => factor * power).find((each) => multiples(each).length >= 3) ?? power / 2;
  const large = Math.max(Math.abs(minimum), Math.abs(maximum)) >= 1e7 || step < 1e-6;
  const decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
  return multiples(step).map((count) => {
    const value = count * step;
    const size = Math.abs(value);
    const powered = () => Number(size.toPrecision(3)).toExponential().replace("e+", "e");
    const text = large && size ? powered() : String(Number(size.toFixed(large ? 0 : decimals)));
    return { value, text: value < 0 ? `−${text}` : text };
  });

  function multiples(each) {
    const first = Math.ceil(minimum / each - 1e-9);
    const last = Math.floor(maximum / each + 1e-9);
    return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
  }
}
