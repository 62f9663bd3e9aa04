// The scores over the sweep: one line a class, flips dashed, a cursor that follows the frame and can be dragged.
import { element } from "./dom.js";
import { format, ticks } from "./playback.js";

const HEIGHT = 190;
const EDGE = { left: 30, right: 10, top: 8, bottom: 24 };

/**
 * @param {(frame: number) => void} scrub called while a person clicks or drags
 */
export function curves(scrub) {
  const canvas = element("canvas.curves", { "aria-hidden": "true" });
  const box = element("div.curves-box", {}, canvas);
  let trace = null;
  let frame = 0;
  let live = true;

  const width = () => box.clientWidth;
  const x = (index) =>
    EDGE.left + ((width() - EDGE.left - EDGE.right) * index) / Math.max(1, trace.count - 1);
  const y = (score) => EDGE.top + (HEIGHT - EDGE.top - EDGE.bottom) * (1 - score);

  function draw() {
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.max(1, width() * ratio);
    canvas.height = HEIGHT * ratio;
    canvas.style.height = `${HEIGHT}px`;
    if (!trace || !width()) return;
    const style = getComputedStyle(box);
    const paint = (name) => style.getPropertyValue(name).trim();
    const pen = canvas.getContext("2d");
    pen.scale(ratio, ratio);
    pen.font = `11px ${style.fontFamily}`;
    pen.fillStyle = paint("--muted");
    pen.lineWidth = 1;

    pen.textAlign = "right";
    pen.textBaseline = "middle";
    for (const score of [0, 0.5, 1]) {
      line(pen, paint("--line"), [], [EDGE.left, y(score)], [width() - EDGE.right, y(score)]);
      pen.fillText(score, EDGE.left - 6, y(score));
    }
    pen.textBaseline = "alphabetic";
    const marked = ticks(trace.axis.values, width() < 500 ? 3 : 5);
    marked.forEach((index, place) => {
      pen.textAlign = place === 0 ? "left" : place === marked.length - 1 ? "right" : "center";
      pen.fillText(format(trace.axis.values[index], trace.axis.unit), x(index), HEIGHT - 6);
    });
    for (const { frame: flip } of trace.flips)
      line(pen, paint("--warn"), [3, 3], [x(flip - 0.5), EDGE.top], [x(flip - 0.5), y(0)]);

    pen.lineWidth = 2;
    pen.lineJoin = "round";
    // The first class is the most important one and is drawn last, on top.
    for (let k = trace.labels.length - 1; k >= 0; k--) {
      pen.strokeStyle = paint(`--class-${k}`);
      pen.beginPath();
      for (let index = 0; index < trace.count; index++) pen.lineTo(x(index), y(trace.scores[index][k]));
      if (trace.count === 1) pen.lineTo(width() - EDGE.right, y(trace.scores[0][k]));
      pen.stroke();
    }
    if (live) {
      pen.lineWidth = 1.5;
      line(pen, paint("--ink"), [], [x(frame), 2], [x(frame), y(0) + 5]);
    }
  }

  function seek(event) {
    if (!trace) return;
    const place = event.clientX - canvas.getBoundingClientRect().left - EDGE.left;
    const share = place / (width() - EDGE.left - EDGE.right);
    scrub(Math.max(0, Math.min(trace.count - 1, Math.round(share * (trace.count - 1)))));
  }
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    seek(event);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (canvas.hasPointerCapture(event.pointerId)) seek(event);
  });
  const observer = new ResizeObserver(draw);
  observer.observe(box);

  return {
    element: box,
    /** @param {any} shown count, axis, labels, scores, flips */
    setTrace(shown) {
      trace = shown;
      draw();
    },
    /** @param {number} shown @param {boolean} [isLive] false where the picture is no frame of the sweep */
    setFrame(shown, isLive = true) {
      frame = shown;
      live = isLive;
      draw();
    },
    destroy: () => observer.disconnect(),
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
