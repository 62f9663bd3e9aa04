// One picture of a grid: its cells in colour, borders between classes, axes, the lines at neutral, and two marks.
import { cellAt, evenTicks, fitted, placeOn } from "./cells.js";
import { element } from "./dom.js";
import { format } from "./playback.js";

const MARGIN = { right: 10, top: 4, bottom: 38 };
const LABEL = 16;
const TICK = 5;
// Height for width, and its bounds.
const SHAPE = { ratio: 0.72, least: 150, most: 340 };
// Pixels that a tick's label takes along its axis.
const ROOM = { across: 64, up: 40 };
const MOST_TICKS = 7;

/**
 * @typedef {object} HeatLook
 * @property {(index: number) => string} colour of each cell
 * @property {[string, string]} border colours of the lines between classes: wide beneath, narrow above
 * @property {(name: string) => string} paint colours of the theme
 */

/**
 * @param {string} kind a class for the style sheet and the tests
 */
export function heatMap(kind) {
  const canvas = element(`canvas.heat.${kind}`, { "aria-hidden": "true" });
  const heading = element("p.heading");
  const box = element("div.heat-box", {}, heading, canvas);
  let plot = { left: 0, top: 0, width: 1, height: 1 };
  let size = { columns: 1, rows: 1 };

  /** Sets the canvas up for the width that there is, and leaves room for the labels. */
  function layOut(axes) {
    const width = box.clientWidth;
    const ratio = window.devicePixelRatio || 1;
    const pen = canvas.getContext("2d");
    const font = `11px ${getComputedStyle(box).fontFamily}`;
    pen.font = font;
    const { unit, values } = axes[1];
    const widest = Math.max(...values.map((value) => pen.measureText(format(value, unit)).width));
    const left = LABEL + Math.ceil(widest) + TICK + 4;
    const inner = Math.max(1, width - left - MARGIN.right);
    const height = Math.round(Math.max(SHAPE.least, Math.min(SHAPE.most, inner * SHAPE.ratio)));
    plot = { left, top: MARGIN.top, width: inner, height };
    size = { columns: axes[0].values.length, rows: values.length };
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round((height + MARGIN.top + MARGIN.bottom) * ratio);
    canvas.style.height = `${height + MARGIN.top + MARGIN.bottom}px`;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.font = font;
    return { pen, ratio };
  }

  // Edges of cells lie on whole pixels of the screen: no seams, and borders where the colours meet.
  const edgeX = (place, ratio) => Math.round((plot.left + (plot.width * place) / size.columns) * ratio) / ratio;
  const edgeY = (place, ratio) => Math.round((plot.top + plot.height * (1 - place / size.rows)) * ratio) / ratio;

  function drawCells(pen, ratio, colour) {
    for (let row = 0; row < size.rows; row++)
      for (let column = 0; column < size.columns; column++) {
        const [x, y] = [edgeX(column, ratio), edgeY(row + 1, ratio)];
        pen.fillStyle = colour(row * size.columns + column);
        pen.fillRect(x, y, edgeX(column + 1, ratio) - x, edgeY(row, ratio) - y);
      }
  }

  function drawBorders(pen, ratio, borders, [wide, narrow]) {
    pen.save();
    // A line one pixel wide is crisp only in the middle of a pixel.
    pen.translate(0.5 / ratio, 0.5 / ratio);
    pen.lineCap = "square";
    // Of small cells something is left to see.
    const cell = Math.min(plot.width / size.columns, plot.height / size.rows);
    for (const [colour, width] of [[wide, Math.min(3, cell / 3)], [narrow, Math.min(1, cell / 6)]]) {
      pen.strokeStyle = colour;
      pen.lineWidth = width;
      pen.beginPath();
      for (const [x0, y0, x1, y1] of borders) {
        pen.moveTo(edgeX(x0, ratio), edgeY(y0, ratio));
        pen.lineTo(edgeX(x1, ratio), edgeY(y1, ratio));
      }
      pen.stroke();
    }
    pen.restore();
  }

  /** Dotted in black and white by turns: seen on any colour. */
  function drawNeutral(pen, ratio, axes) {
    const [x, y] = axes.map(({ values, neutral }) => placeOn(values, neutral));
    pen.save();
    pen.translate(0.5 / ratio, 0.5 / ratio);
    pen.lineWidth = 1;
    for (const [colour, offset] of [["#fff", 0], ["#000", 3]]) {
      pen.strokeStyle = colour;
      pen.setLineDash([3, 3]);
      pen.lineDashOffset = offset;
      pen.beginPath();
      if (x !== null) {
        pen.moveTo(edgeX(x, ratio), plot.top);
        pen.lineTo(edgeX(x, ratio), plot.top + plot.height);
      }
      if (y !== null) {
        pen.moveTo(plot.left, edgeY(y, ratio));
        pen.lineTo(plot.left + plot.width, edgeY(y, ratio));
      }
      pen.stroke();
    }
    pen.restore();
  }

  function drawAxes(pen, axes, paint) {
    pen.fillStyle = pen.strokeStyle = paint("--muted");
    pen.lineWidth = 1;
    const measure = (text) => pen.measureText(text).width;
    const [across, up] = axes;
    const bottom = plot.top + plot.height;
    pen.textBaseline = "top";
    pen.textAlign = "center";
    for (const index of evenTicks(across.values, ticksFor(plot.width, ROOM.across))) {
      const x = plot.left + (plot.width * (index + 0.5)) / size.columns;
      const text = format(across.values[index], across.unit);
      stroke(pen, x, bottom, x, bottom + TICK - 1);
      // A label at the end stays inside the picture.
      const most = plot.left + plot.width + MARGIN.right - measure(text) / 2;
      pen.fillText(text, Math.min(x, most), bottom + TICK + 1);
    }
    pen.fillText(fitted(titleOf(across), plot.width, measure), plot.left + plot.width / 2, bottom + MARGIN.bottom - 14);
    pen.textBaseline = "middle";
    pen.textAlign = "right";
    for (const index of evenTicks(up.values, ticksFor(plot.height, ROOM.up))) {
      const y = bottom - (plot.height * (index + 0.5)) / size.rows;
      stroke(pen, plot.left - TICK + 1, y, plot.left, y);
      pen.fillText(format(up.values[index], up.unit), plot.left - TICK - 2, y);
    }
    pen.save();
    pen.translate(LABEL / 2, plot.top + plot.height / 2);
    pen.rotate(-Math.PI / 2);
    pen.textAlign = "center";
    pen.fillText(fitted(titleOf(up), plot.height, measure), 0, 0);
    pen.restore();
  }

  function drawMarks(pen, ratio, cursor, chosen, paint) {
    if (chosen) {
      const x = (edgeX(chosen.column, ratio) + edgeX(chosen.column + 1, ratio)) / 2;
      const y = (edgeY(chosen.row, ratio) + edgeY(chosen.row + 1, ratio)) / 2;
      pen.beginPath();
      pen.arc(x, y, 5, 0, 2 * Math.PI);
      pen.fillStyle = paint("--accent");
      pen.fill();
      twice(pen);
    }
    if (cursor) {
      const [x, y] = [edgeX(cursor.column, ratio), edgeY(cursor.row + 1, ratio)];
      pen.beginPath();
      pen.rect(x, y, edgeX(cursor.column + 1, ratio) - x, edgeY(cursor.row, ratio) - y);
      twice(pen);
    }
  }

  return {
    element: box,
    canvas,
    /** @param {string} text */
    setHeading(text) {
      heading.textContent = heading.title = text;
    },
    /**
     * @param {import("./cells.js").GridAxis[]} axes across and up
     * @param {[number, number, number, number][]} borders
     * @param {{cursor: any, chosen: any}} marks
     * @param {HeatLook} look
     */
    draw(axes, borders, { cursor, chosen }, { colour, border, paint }) {
      if (!box.clientWidth) return;
      const { pen, ratio } = layOut(axes);
      drawCells(pen, ratio, colour);
      drawBorders(pen, ratio, borders, border);
      drawNeutral(pen, ratio, axes);
      drawAxes(pen, axes, paint);
      drawMarks(pen, ratio, cursor, chosen, paint);
    },
    /** The cell under the pointer, or null. @param {PointerEvent|MouseEvent} event */
    cellUnder(event) {
      const { left, top } = canvas.getBoundingClientRect();
      return cellAt(event.clientX - left, event.clientY - top, plot, size.columns, size.rows);
    },
  };
}

const ticksFor = (length, room) => Math.max(2, Math.min(MOST_TICKS, Math.floor(length / room)));
const titleOf = ({ label, unit }) => (unit ? `${label} (${unit})` : label);

function stroke(pen, x0, y0, x1, y1) {
  pen.beginPath();
  pen.moveTo(x0, y0);
  pen.lineTo(x1, y1);
  pen.stroke();
}

/** Strokes the path black within white: seen on any colour. */
function twice(pen) {
  for (const [colour, width] of [["#fff", 4], ["#000", 1.75]]) {
    pen.strokeStyle = colour;
    pen.lineWidth = width;
    pen.stroke();
  }
}
