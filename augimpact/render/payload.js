// What arrives from Python, as the player uses it: pictures decoded, maps as numbers.
import { fullScale } from "./overlay.js";

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
 * @property {object[]} numbers see readout.py
 * @property {string} [name] of two that are compared
 * @property {Still} [second] beside it
 */

/**
 * A sweep with its pictures decoded; whoever asked gives it back with `closeSweep`.
 * @param {any} payload see payload.py
 */
export async function readSweep(payload) {
  const { second } = payload;
  const [bitmaps, others, neutral] = await Promise.all([
    Promise.all(payload.jpegs.map(decode)),
    second?.jpegs ? Promise.all(second.jpegs.map(decode)) : null,
    payload.neutral ? readStill(payload.neutral) : null,
  ]);
  const sweep = played(payload, bitmaps, neutral);
  return { ...sweep, second: second ? played(second, others ?? bitmaps, null) : null };
}

const played = (payload, bitmaps, neutral) => ({
  ...payload, bitmaps, neutral, maps: words(payload.maps), count: bitmaps.length,
  full: fullScale(payload.highest, "sweep")[0],
});

/** Gives the memory of its pictures back at once; those that two share a second time does no harm. */
export function closeSweep(sweep) {
  for (const bitmap of [...sweep.bitmaps, ...(sweep.second?.bitmaps ?? [])]) bitmap.close();
  if (sweep.neutral) closeStill(sweep.neutral);
}

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
    name: trace.name,
    second: trace.second ? still(trace.second, frame) : null,
  };
}

let stills = 0;

/** @param {Still} payload */
export async function readStill(payload) {
  const { height, width, highest } = payload;
  const map = { values: words(payload.map), height, width, highest };
  const [bitmap, second] = await Promise.all([decode(payload.jpeg), payload.second ? readStill(payload.second) : null]);
  return { ...payload, map, number: stills++, bitmap, full: highest, second };
}

export function closeStill(shown) {
  shown.bitmap.close();
  shown.second?.bitmap.close();
}

/** @param {DataView} jpeg handed on as it is: its own offset and length count */
const decode = (jpeg) => createImageBitmap(new Blob([jpeg], { type: "image/jpeg" }));

/** @param {DataView} view */
export const bytes = (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

/** @param {DataView} view copied, for its offset need not be a multiple of two */
const words = (view) => new Uint16Array(bytes(view).slice().buffer);
