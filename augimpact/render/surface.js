// Two parameters against each other: the target's score and what is predicted, a cursor on both, and one chosen setting.
import { cellOf, cellWords, classBorders, gridWords, legendOf, legendPlace, moved, rankColour } from "./cells.js";
import { element } from "./dom.js";
import { heatMap } from "./heatmap.js";
import { CLASS_COLOURS, classColour } from "./matching.js";
import { bytes } from "./payload.js";
import { saving } from "./saving.js";
import { pageColours, repainted } from "./sheet.js";
import { valueShare, valueTicks } from "./values.js";

const SURFACE_COLOURS = ["--card", "--muted", "--accent", ...Array.from({ length: CLASS_COLOURS }, (_, index) => `--class-${index}`)];
const SURFACE_FILES = [
  { suffix: ".png", label: "PNG" },
  { suffix: ".svg", label: "SVG figure" },
  { suffix: ".pdf", label: "PDF figure" },
  { suffix: ".csv", label: "CSV table" },
  { suffix: ".json", label: "JSON, with recipe" },
  { suffix: ".py", label: "Python code" },
];
const BORDER = ["#0009", "#fff"];
const BAR_STOPS = 17;

// Copied, for their offsets need not be multiples of four or two.
/** @param {DataView} view */
const floats = (view) => new Float32Array(bytes(view).slice().buffer);
/** @param {DataView} view */
const wholes = (view) => new Uint16Array(bytes(view).slice().buffer);

/**
 * @param {HTMLElement} root
 * @param {object} host
 * @param {DataView} host.colours 256 × 3 bytes: the colours of scores
 * @param {(setting: Record<string, number>) => void} [host.choose] told which setting a person chose
 * @param {(suffix: string) => void} [host.save] makes a file; without it none can be saved
 */
export function mountSurface(root, host) {
  const table = bytes(host.colours);
  const entry = (index) => `rgb(${table[3 * index]} ${table[3 * index + 1]} ${table[3 * index + 2]})`;
  const scores = heatMap("scores");
  const states = heatMap("states");
  const { swatches, read } = pageColours(SURFACE_COLOURS);
  let surface = null;
  let cursor = null;
  let chosen = null;
  // Where the keys go on from.
  let last = null;

  // Its keys are its own: in JupyterLab and Notebook they would move between cells.
  const maps = element(
    "div.maps",
    {
      tabindex: 0, role: "application", "aria-roledescription": "grid of settings", onkeydown: (event) => onKey(event),
      onblur: () => point(null),
    },
    scores.element, states.element,
  );
  const bar = element("div.bar", { "aria-hidden": "true" });
  const legend = element("ul.legend", { "aria-label": "predictions" });
  const facts = element("p.facts", { "aria-live": "polite" });
  const files = saving(host.save, SURFACE_FILES);
  const content = element(
    "div.content", {},
    maps,
    element("div.key", {}, bar, legend),
    facts,
    element("div.tools", {}, files.element),
  );
  const empty = element("p.empty", {}, "no grid yet");
  const card = element("section.card.surface", { "aria-label": "two parameters as a grid" }, empty, content, ...swatches);
  root.append(card);
  setSurface(null);

  for (const map of [scores, states]) {
    map.canvas.addEventListener("pointermove", (event) => point(map.cellUnder(event)));
    map.canvas.addEventListener("pointerleave", () => point(null));
    map.canvas.addEventListener("click", (event) => choose(map.cellUnder(event)));
  }
  const forget = repainted(maps, draw);

  function draw() {
    if (!surface || !maps.clientWidth) return;
    const paint = read();
    const { axes, borders, value_axis: axis, ranks } = surface;
    const scoreColour = (index) => entry(Math.round(255 * valueShare(surface.scores[index], axis)));
    const stateColour = (index) => paint(`--class-${rankColour(ranks[index])}`);
    const marks = { cursor, chosen };
    scores.draw(axes, borders, marks, { colour: scoreColour, border: BORDER, paint });
    const between = paint("--card");
    states.draw(axes, borders, marks, { colour: stateColour, border: ["transparent", between], paint });
  }

  function say() {
    const cell = cursor ?? chosen;
    facts.textContent = !surface ? "" : cell ? cellWords(surface, cell) : gridWords(surface);
    const under = cell && surface ? legendPlace(surface.ranks[cell.row * surface.columns + cell.column]) : -1;
    [...legend.children].forEach((each, index) => each.toggleAttribute("data-under", index === under));
  }

  function point(cell) {
    if (cell?.column === cursor?.column && cell?.row === cursor?.row) return;
    cursor = cell;
    last = cell ?? last;
    draw();
    say();
  }

  function choose(cell) {
    if (!cell) return;
    const [across, up] = surface.axes;
    chosen = cell;
    draw();
    say();
    host.choose?.({ [across.name]: across.values[cell.column], [up.name]: up.values[cell.row] });
  }

  function onKey(event) {
    if (!surface || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" || event.key === " ") choose(cursor);
    else if (event.key === "Escape" && cursor) point(null);
    else {
      const next = moved(cursor ?? last ?? chosen ?? surface.middle, event.key, surface.columns, surface.rows);
      if (!next) return;
      point(next);
    }
    event.preventDefault();
  }

  function showBar({ value_axis: axis, threshold, kind, target }) {
    const stops = Array.from({ length: BAR_STOPS }, (_, index) => entry(Math.round((255 * index) / (BAR_STOPS - 1))));
    const at = (value) => ({ left: `${100 * valueShare(value, axis)}%` });
    const levels = valueTicks(axis);
    if (axis.unit) levels[levels.length - 1].text += ` ${axis.unit}`;
    const inside = threshold !== null && threshold >= axis.minimum && threshold <= axis.maximum;
    bar.title = `${kind} of ${target}`;
    bar.replaceChildren(
      element("div.colours", { style: { background: `linear-gradient(to right, ${stops.join(", ")})` } },
        inside ? element("i.threshold", { style: at(threshold) }) : null),
      ...levels.map(({ value, text }) => element("small", { style: at(value) }, text)),
    );
  }

  function showLegend({ names, counts }) {
    legend.replaceChildren(
      ...legendOf(names, counts).map(({ name, share, colour }) =>
        element("li", { title: `${name}: ${share}` },
          element("i", { style: { background: classColour(colour) } }), element("span", {}, name), element("b", {}, share)),
      ),
    );
  }

  function setSurface(payload) {
    cursor = chosen = last = surface = null;
    empty.hidden = Boolean(payload);
    content.hidden = !payload;
    files.setShown(payload);
    if (payload) {
      const [columns, rows] = payload.axes.map(({ values }) => values.length);
      const ranks = wholes(payload.ranks);
      surface = {
        ...payload, ranks, columns, rows, scores: floats(payload.scores), best: payload.best && floats(payload.best),
        borders: classBorders(ranks, columns, rows), middle: { column: columns >> 1, row: rows >> 1 },
      };
      const [across, up] = payload.axes.map(({ label }) => label);
      maps.setAttribute("aria-label", `${across} across, ${up} upwards: arrow keys move, Enter chooses a setting`);
      scores.setHeading(`${payload.kind} of ${payload.target}`);
      states.setHeading(payload.threshold === null ? "prediction" : "below or above the threshold");
      showBar(payload);
      showLegend(payload);
      draw();
    }
    say();
  }

  return {
    /** @param {any} payload see grid.py; null shows that there is none */
    setSurface,
    /** Marks the cell nearest to a setting. @param {Record<string, number>} setting empty marks none */
    setChosen(setting) {
      chosen = surface && cellOf(surface.axes, setting);
      draw();
      say();
    },
    /** @param {string} text @param {boolean} failed */
    saved(text, failed) {
      files.done(text, failed, Boolean(surface));
    },
    destroy() {
      forget();
      files.destroy();
      card.remove();
    },
  };
}
