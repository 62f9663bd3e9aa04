// What arrives from Python, as the player uses it: pictures decoded, maps as numbers.

/**
 * @typedef {object} Still one frame as it travels: JPEG bytes, map, what is said of it
 * @property {DataView} jpeg
 * @property {DataView} map 16 bits each, height × width, in shares of `highest`
 * @property {number} highest
 * @property {number} height
 * @property {number} width
 * @property {string} tag
 * @property {string} prediction
 * @property {string} value
 * @property {string[]} labels
 * @property {number[]} scores
 * @property {object} value_axis see values.js
 */

/**
 * One frame of a sweep.
 * @param {any} trace @param {number} frame
 */
export function still(trace, frame) {
  const { height, width } = trace;
  const values = trace.maps.subarray(frame * height * width, (frame + 1) * height * width);
  return {
    bitmap: trace.bitmaps[frame],
    map: { values, height, width, highest: trace.highest[frame] },
    full: trace.highest[frame],
    tag: trace.tags[frame],
    prediction: trace.predictions[frame],
    value: trace.values[frame],
    labels: trace.labels,
    scores: trace.scores[frame],
    value_axis: trace.value_axis,
  };
}

let stills = 0;

/** @param {Still} payload */
export async function readStill(payload) {
  const { height, width, highest } = payload;
  const map = { values: words(payload.map), height, width, highest };
  return { ...payload, map, number: stills++, bitmap: await decode(payload.jpeg), full: highest };
}

/** @param {DataView} jpeg handed on as it is: its own offset and length count */
export const decode = (jpeg) => createImageBitmap(new Blob([jpeg], { type: "image/jpeg" }));

/** @param {DataView} view */
export const bytes = (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

/** @param {DataView} view copied, for its offset need not be a multiple of two */
export const words = (view) => new Uint16Array(bytes(view).slice().buffer);
