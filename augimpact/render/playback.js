// Which frame comes next, and how values read: the player's logic without a page.

export const LOOPS = ["back and forth", "forward", "once"];

/**
 * The next frame and direction of play; a frame of null ends it.
 * @param {number} frame
 * @param {number} direction 1 or −1
 * @param {number} count
 * @param {string} loop one of LOOPS
 * @returns {{frame: number|null, direction: number}}
 */
export function advance(frame, direction, count, loop) {
  const next = frame + direction;
  if (next >= 0 && next < count) return { frame: next, direction };
  if (loop === "once") return { frame: null, direction: 1 };
  if (loop === "forward" || count < 2) return { frame: 0, direction: 1 };
  return { frame: frame - direction, direction: -direction };
}

/**
 * A value as a person reads it, with a true minus sign.
 * @param {number} value
 * @param {string} unit degrees get one decimal and their sign, anything else two decimals
 */
export function format(value, unit) {
  const text = unit === "degrees" ? `${Math.abs(value).toFixed(1)}°` : Math.abs(value).toFixed(2);
  return value < 0 && parseFloat(text) !== 0 ? `−${text}` : text;
}

/**
 * What is written at a tick: the value of its frame on the axis; of a single frame, which has no axis, its setting.
 * @param {{tags: string[], axis: {values: number[], unit: string}}} trace
 * @param {number} frame
 */
export const tickText = ({ tags, axis }, frame) =>
  tags.length === 1 ? tags[0] : format(axis.values[frame], axis.unit);

/**
 * Places for up to `most` ticks on an axis of values, evenly spread over the frames.
 * @param {number[]} values
 * @param {number} most
 * @returns {number[]} indices of frames
 */
export function ticks(values, most) {
  const count = Math.min(most, values.length);
  if (count < 2) return values.length ? [0] : [];
  return Array.from({ length: count }, (_, index) => Math.round((index * (values.length - 1)) / (count - 1)));
}
