// The curves of an impact: a line a group with its band, the safe range shaded, a cursor that can be dragged.
import { CLASS_COLOURS } from "./matching.js";
import { format, ticks } from "./playback.js";
import { sheet } from "./sheet.js";

const HEIGHT = 250;
const EDGE = { left: 42, right: 12, top: 10, bottom: 26 };
const COLOURS = [
  "--line", "--muted", "--ink", "--domain", ...Array.from({ length: CLASS_COLOURS }, (_, index) => `--class-${index}`),
];
const BAND = 0.14;
const [NARROW, FEW_TICKS, MOST_TICKS] = [520, 3, 7];

/**
 * @typedef {object} Drawn what is drawn
 * @property {{strengths: number[], unit: string, several: boolean, neutral: number|null}} axis
 * @property {{low: number, high: number}|null} safe
 * @property {{colour: number, value: Float32Array, low: Float32Array, high: Float32Array}[]} lines the first on top
 */

/** @param {(strength: number) => void} seek called while a person clicks or drags */
export function impactChart(seek) {
  const page = sheet({
    canvas: "canvas.impact-curves", box: "div.impact-chart", colours: COLOURS, height: HEIGHT, draw, seek: aim,
  });
  let drawn = null;
  let place = 0;

  const { width, paint } = page;
  const ends = () => [drawn.axis.strengths[0], drawn.axis.strengths[drawn.axis.strengths.length - 1]];
  const x = (strength) => {
    const [low, high] = ends();
    return EDGE.left + (width() - EDGE.left - EDGE.right) * (high > low ? (strength - low) / (high - low) : 0.5);
  };
  const y = (share) => EDGE.top + (HEIGHT - EDGE.top - EDGE.bottom) * (1 - share);

  function draw() {
    const pen = page.pen();
    if (!drawn || !pen) return;
    drawSafe(pen);
    drawAxes(pen);
    for (const line of [...drawn.lines].reverse()) drawBand(pen, line);
    for (const line of [...drawn.lines].reverse()) drawLine(pen, line);
    drawCursor(pen);
  }

  function drawSafe(pen) {
    if (!drawn.safe) return;
    const { low, high } = drawn.safe;
    pen.fillStyle = paint("--domain");
    pen.fillRect(x(low), EDGE.top, Math.max(2, x(high) - x(low)), HEIGHT - EDGE.top - EDGE.bottom);
  }

  function drawAxes(pen) {
    pen.lineWidth = 1;
    pen.fillStyle = paint("--muted");
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    for (const share of [0, 0.25, 0.5, 0.75, 1]) {
      stroke(pen, paint("--line"), [], [[EDGE.left, y(share)], [width() - EDGE.right, y(share)]]);
      pen.fillText(`${100 * share}%`, EDGE.left - 6, y(share));
    }
    const { neutral, several, unit } = drawn.axis;
    const [low, high] = ends();
    if (neutral !== null && neutral >= low && neutral <= high)
      stroke(pen, paint("--muted"), [1, 3], [[x(neutral), EDGE.top], [x(neutral), HEIGHT - EDGE.bottom]]);
    pen.textBaseline = "alphabetic";
    pen.textAlign = "center";
    for (const index of ticks(drawn.axis.strengths, width() < NARROW ? FEW_TICKS : MOST_TICKS)) {
      const value = drawn.axis.strengths[index];
      const text = several ? `${Math.round(100 * value)}%` : format(value, unit);
      const half = pen.measureText(text).width / 2;
      pen.fillText(text, Math.min(width() - half - 2, x(value)), HEIGHT - 8);
    }
  }

  function drawBand(pen, { colour, low, high }) {
    const { strengths } = drawn.axis;
    pen.globalAlpha = BAND;
    pen.fillStyle = paint(`--class-${colour}`);
    pen.beginPath();
    strengths.forEach((strength, index) => pen.lineTo(x(strength), y(high[index])));
    for (let index = strengths.length - 1; index >= 0; index--) pen.lineTo(x(strengths[index]), y(low[index]));
    pen.fill();
    pen.globalAlpha = 1;
  }

  function drawLine(pen, { colour, value }) {
    pen.lineWidth = 2;
    pen.lineJoin = "round";
    stroke(pen, paint(`--class-${colour}`), [], drawn.axis.strengths.map((strength, index) => [x(strength), y(value[index])]));
  }

  function drawCursor(pen) {
    const at = x(drawn.axis.strengths[place]);
    pen.lineWidth = 1.5;
    stroke(pen, paint("--ink"), [], [[at, 4], [at, HEIGHT - EDGE.bottom + 5]]);
    for (const { colour, value } of [...drawn.lines].reverse()) {
      pen.fillStyle = paint(`--class-${colour}`);
      pen.beginPath();
      pen.arc(at, y(value[place]), 4, 0, 2 * Math.PI);
      pen.fill();
    }
  }

  function aim(event) {
    if (!drawn) return;
    const [low, high] = ends();
    const share = (page.across(event) - EDGE.left) / (width() - EDGE.left - EDGE.right);
    seek(low + Math.min(1, Math.max(0, share)) * (high - low));
  }

  return {
    element: page.box,
    /** @param {Drawn} next @param {number} at the place of the cursor */
    show(next, at) {
      drawn = next;
      place = at;
      draw();
    },
    destroy: page.destroy,
  };
}

/** @param {CanvasRenderingContext2D} pen @param {string} colour @param {number[]} dash @param {number[][]} points */
function stroke(pen, colour, dash, points) {
  pen.strokeStyle = colour;
  pen.setLineDash(dash);
  pen.beginPath();
  for (const [left, top] of points) pen.lineTo(left, top);
  pen.stroke();
  pen.setLineDash([]);
}
