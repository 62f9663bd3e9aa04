// The values over the sweep: one line a class, flips and threshold dashed, what is inside the data shaded, a cursor that
// follows the frame and can be dragged. Of two that are compared the second's lines are dashed, in the colours of the same classes.
import { drawBand } from "./band.js";
import { CLASS_COLOURS, matchingColours } from "./matching.js";
import { tickText, ticks } from "./playback.js";
import { sheet } from "./sheet.js";
import { valueShare, valueTicks } from "./values.js";

const HEIGHT = 190;
const EDGE = { left: 30, right: 10, top: 8, bottom: 24 };
const TICK_GAP = 6;
const DASHES = [6, 3];
const LIGHTER = 0.5;
const COLOURS = [
  "--line", "--muted", "--warn", "--ink", "--domain", ...Array.from({ length: CLASS_COLOURS }, (_, index) => `--class-${index}`),
];

/**
 * @param {(frame: number) => void} scrub called while a person clicks or drags
 */
export function curves(scrub) {
  const page = sheet({
    canvas: "canvas.curves", box: "div.curves-box", colours: COLOURS, height: HEIGHT, draw, seek,
  });
  let left = EDGE.left;
  let trace = null;
  let frame = 0;
  let live = true;
  let inside = [];
  let band = null;

  const { width, paint } = page;
  const x = (index) => left + ((width() - left - EDGE.right) * index) / Math.max(1, trace.count - 1);
  const y = (value, axis = trace.value_axis) => EDGE.top + (HEIGHT - EDGE.top - EDGE.bottom) * (1 - valueShare(value, axis));

  function draw() {
    const pen = page.pen();
    if (!trace || !pen) return;
    pen.lineWidth = 1;
    drawAxes(pen);
    drawInside(pen);
    if (band) drawBand(pen, band, paint("--muted"), x, y);
    if (trace.second) {
      pen.globalAlpha = LIGHTER;
      drawFlips(pen, trace.second);
      pen.globalAlpha = 1;
    }
    drawFlips(pen, trace);
    pen.lineWidth = 2;
    pen.lineJoin = "round";
    if (trace.second) drawLines(pen, trace.second, matchingColours(trace.labels, trace.second.labels), DASHES);
    drawLines(pen, trace, trace.labels.map((_, index) => index), []);
    if (live) {
      pen.lineWidth = 1.5;
      line(pen, paint("--ink"), [], [x(frame), 2], [x(frame), HEIGHT - EDGE.bottom + 5]);
    }
  }

  function drawAxes(pen) {
    pen.fillStyle = paint("--muted");
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    const { minimum, maximum, unit } = trace.value_axis;
    const levels = valueTicks(trace.value_axis);
    // The unit stands once, at the highest of them.
    if (unit) levels[levels.length - 1].text += ` ${unit}`;
    left = Math.max(EDGE.left, ...levels.map(({ text }) => Math.ceil(pen.measureText(text).width) + 2 * TICK_GAP));
    for (const { value, text } of levels) {
      line(pen, paint("--line"), [], [left, y(value)], [width() - EDGE.right, y(value)]);
      pen.fillText(text, left - TICK_GAP, y(value));
    }
    const { threshold } = trace;
    if (threshold !== null && threshold >= minimum && threshold <= maximum)
      line(pen, paint("--ink"), [6, 4], [left, y(threshold)], [width() - EDGE.right, y(threshold)]);
    pen.textBaseline = "alphabetic";
    const marked = ticks(trace.axis.values, width() < 500 ? 3 : 5);
    marked.forEach((index, place) => {
      pen.textAlign = place === 0 ? "left" : place === marked.length - 1 ? "right" : "center";
      pen.fillText(tickText(trace, index), x(index), HEIGHT - 6);
    });
  }

  /** Between two frames of which one is inside, half of the way is shaded. */
  function drawInside(pen) {
    pen.fillStyle = paint("--domain");
    for (const [first, last] of inside) {
      const from = x(Math.max(0, first - 0.5));
      const to = trace.count > 1 ? x(Math.min(trace.count - 1, last + 0.5)) : width() - EDGE.right;
      pen.fillRect(from, EDGE.top, to - from, HEIGHT - EDGE.top - EDGE.bottom);
    }
  }

  function drawFlips(pen, { flips }) {
    for (const { position } of flips)
      line(pen, paint("--warn"), [3, 3], [x(position), EDGE.top], [x(position), HEIGHT - EDGE.bottom]);
  }

  function drawLines(pen, { labels, scores, value_axis: axis }, colours, dashes) {
    pen.setLineDash(dashes);
    // The first class is the most important one and is drawn last, on top.
    for (let k = labels.length - 1; k >= 0; k--) {
      pen.strokeStyle = paint(`--class-${colours[k]}`);
      pen.beginPath();
      for (let index = 0; index < trace.count; index++) pen.lineTo(x(index), y(scores[index][k], axis));
      if (trace.count === 1) pen.lineTo(width() - EDGE.right, y(scores[0][k], axis));
      pen.stroke();
    }
    pen.setLineDash([]);
  }

  function seek(event) {
    if (!trace) return;
    const share = (page.across(event) - left) / (width() - left - EDGE.right);
    scrub(Math.max(0, Math.min(trace.count - 1, Math.round(share * (trace.count - 1)))));
  }

  return {
    element: page.box,
    /** @param {[number, number][]|null} runs the parts inside the data, by their frames */
    setInside(runs) {
      inside = runs ?? [];
      draw();
    },
    /** @param {Object<string, any>|null} next where the scores of a dataset lie */
    setBand(next) {
      band = next;
      draw();
    },
    /** @param {any} shown count, axis, labels, scores, flips, value_axis, threshold, and a second one of those */
    setTrace(shown) {
      trace = shown;
      inside = [];
      band = null;
      draw();
    },
    /** @param {number} shown @param {boolean} [isLive] false where the picture is no frame of the sweep */
    setFrame(shown, isLive = true) {
      // While a slider is dragged the curves stay as they are.
      if (frame === shown && live === isLive) return;
      frame = shown;
      live = isLive;
      draw();
    },
    destroy: page.destroy,
  };
}

function line(pen, colour, dash, from, to) {
  pen.strokeStyle = colour;
  pen.setLineDash(dash);
  pen.beginPath();
  pen.moveTo(...from);
  pen.lineTo(...to);
  pen.stroke();
  pen.setLineDash([]);
}
