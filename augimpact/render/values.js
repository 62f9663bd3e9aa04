// The axis of scores or other values, in the browser: numbers read and lie as values.py has it.

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
  const size = Math.abs(value);
  const text = axis.decimals === null ? size.toExponential(2).replace("e+", "e") : size.toFixed(axis.decimals + more);
  return (value < 0 && Number(text) !== 0 ? `−${text}` : text) + (axis.unit && ` ${axis.unit}`);
}

/**
 * A number with a true minus sign; what is none is a dash.
 * @param {number|null|undefined} value
 * @param {number} decimals
 */
export function numberText(value, decimals) {
  if (value == null || !Number.isFinite(value)) return "–";
  const text = Math.abs(value).toFixed(decimals);
  return value < 0 && Number(text) !== 0 ? `−${text}` : text;
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
