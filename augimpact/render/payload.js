// What arrives from the kernel, as the player uses it: pictures decoded, maps as numbers.
import { fullScale } from "./overlay.js";

/**
 * @typedef {object} Still one frame as it travels: JPEG bytes, raw map, what is said of it
 * @property {DataView} jpeg
 * @property {DataView} map float32, height × width
 * @property {number} height
 * @property {number} width
 * @property {string} tag
 * @property {string} prediction
 * @property {number} score
 * @property {string[]} labels
 * @property {number[]} scores
 */

/**
 * One frame of a sweep.
 * @param {any} trace @param {number} frame
 */
export function still(trace, frame) {
  const size = trace.height * trace.width;
  return {
    bitmap: trace.bitmaps[frame],
    map: trace.maps.subarray(frame * size, (frame + 1) * size),
    height: trace.height,
    width: trace.width,
    full: trace.full.frame[frame],
    tag: trace.tags[frame],
    prediction: trace.predictions[frame],
    score: trace.top_scores[frame],
    labels: trace.labels,
    scores: trace.scores[frame],
  };
}

let stills = 0;

/** @param {Still} payload */
export async function readStill(payload) {
  const map = floats(payload.map);
  return { ...payload, map, number: stills++, bitmap: await decode(payload.jpeg), full: fullScale(map, 1, "frame")[0] };
}

/** @param {DataView} jpeg handed on as it is: its own offset and length count */
export const decode = (jpeg) => createImageBitmap(new Blob([jpeg], { type: "image/jpeg" }));

/** @param {DataView} view */
export const bytes = (view) => new Uint8Array(view.buffer, view.byteOffset, view.byteLength);

/** @param {DataView} view copied, for its offset need not be a multiple of four */
export const floats = (view) => new Float32Array(bytes(view).slice().buffer);
