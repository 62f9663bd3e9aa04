// Where the scores of a dataset lie behind the curves of one image: a band with its mean, as far as that was tested.
import { element } from "./dom.js";

const SHADE = 0.16;

/**
 * @typedef {object} ScoreBand a number a frame, null outside of what was tested
 * @property {(number|null)[]} mean
 * @property {(number|null)[]} low
 * @property {(number|null)[]} high
 * @property {string} legend
 */

/**
 * The stretches of frames of which something is known.
 * @param {(number|null)[]} values
 * @returns {number[][]} the frames of each
 */
export function knownRuns(values) {
  const runs = [];
  values.forEach((value, frame) => {
    if (value === null) return;
    if (frame && values[frame - 1] !== null && runs.length) runs[runs.length - 1].push(frame);
    else runs.push([frame]);
  });
  return runs;
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {ScoreBand} band
 * @param {string} colour
 * @param {(frame: number) => number} x
 * @param {(value: number) => number} y
 */
export function drawBand(pen, band, colour, x, y) {
  for (const run of knownRuns(band.mean)) {
    pen.fillStyle = pen.strokeStyle = colour;
    pen.globalAlpha = SHADE;
    pen.beginPath();
    for (const frame of run) pen.lineTo(x(frame), y(band.high[frame]));
    for (const frame of [...run].reverse()) pen.lineTo(x(frame), y(band.low[frame]));
    pen.fill();
    pen.globalAlpha = 1;
    pen.lineWidth = 1.5;
    pen.setLineDash([2, 3]);
    pen.beginPath();
    for (const frame of run) pen.lineTo(x(frame), y(band.mean[frame]));
    pen.stroke();
    pen.setLineDash([]);
  }
}

/** What the band is, in words. */
export function bandLegend() {
  const words = element("span");
  const box = element("p.band-legend", { hidden: true }, element("i"), words);
  return {
    element: box,
    /** @param {ScoreBand|null} band */
    show(band) {
      box.hidden = !band;
      words.textContent = band?.legend ?? "";
    },
  };
}
