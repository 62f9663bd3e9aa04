// A row for each parameter: its slider, its value, the switch that makes it a range to sweep, and reset.
import { element } from "../render/dom.js";
import { format } from "../render/playback.js";

/**
 * @typedef {{name: string, label: string, group: string, minimum: number, maximum: number, neutral: number,
 *            sweep: number[], unit: string, description: string, needs: string[]}} Parameter
 */

/**
 * The setting and ranges with one parameter's switch turned: to a range, or back to the value it has.
 * @param {{settings: Record<string, number>, ranges: Record<string, number[]>}} state
 * @param {Parameter} parameter
 */
export function toggledRange(state, parameter) {
  const { [parameter.name]: range, ...ranges } = state.ranges;
  return range ? { ranges } : { ranges: { ...ranges, [parameter.name]: [...parameter.sweep] } };
}

/**
 * The setting and ranges with some parameters back at neutral and swept no more.
 * @param {{settings: Record<string, number>, ranges: Record<string, number[]>}} state
 * @param {Parameter[]} parameters
 */
export function reset(state, parameters) {
  const settings = { ...state.settings };
  const ranges = { ...state.ranges };
  for (const { name, neutral } of parameters) {
    settings[name] = neutral;
    delete ranges[name];
  }
  return { settings, ranges };
}

/**
 * Whether the parameter can change anything: all that it needs have left neutral or are swept.
 * @param {{settings: Record<string, number>, ranges: Record<string, number[]>}} state
 * @param {Parameter} parameter
 * @param {Record<string, Parameter>} catalogue
 */
export function hasEffect(state, parameter, catalogue) {
  return parameter.needs.every((name) => name in state.ranges || state.settings[name] !== catalogue[name].neutral);
}

/**
 * @param {Parameter} parameter
 * @param {{change: (part: object) => void, state: () => any}} host
 */
export function row(parameter, host) {
  const { name, label, minimum, maximum, neutral, unit } = parameter;
  const step = (maximum - minimum) / (unit === "degrees" ? 720 : 200);
  const place = (value) => `${((value - minimum) / (maximum - minimum)) * 100}%`;
  const slider = (what, oninput) =>
    element("input", { type: "range", min: minimum, max: maximum, step, "aria-label": what, oninput });

  const single = slider(label, () => setValue(+single.value));
  const low = slider(`${label}, start of the sweep`, () => setRange(0, +low.value));
  const high = slider(`${label}, end of the sweep`, () => setRange(1, +high.value));
  const band = element("b.band");
  const marks = element("span.marks");
  const origin = element("i.neutral", { style: { left: place(neutral) } });
  const track = element("div.track", {}, origin, band, marks, single, low, high);
  const value = element("span.value");
  const sweep = element(
    "button.icon", {
      type: "button", "aria-label": `sweep ${label}`, title: "sweep a range",
      onclick: () => host.change(toggledRange(host.state(), parameter)),
    }, "⇄",
  );
  const back = element(
    "button.icon.reset", {
      type: "button", "aria-label": `reset ${label}`, title: "back to neutral",
      onclick: () => host.change(reset(host.state(), [parameter])),
    }, "↺",
  );
  const made = element(
    "div.row", { dataset: { name }, title: parameter.description },
    element("span.name", {}, label), track, value, sweep, back,
  );

  function setValue(next) {
    host.change({ settings: { ...host.state().settings, [name]: next } });
  }

  function setRange(end, next) {
    const range = [...host.state().ranges[name]];
    range[end] = next;
    // What is dragged is shown: the picture follows the end that moves.
    host.change({
      ranges: { ...host.state().ranges, [name]: range },
      settings: { ...host.state().settings, [name]: next },
    });
  }

  return {
    element: made,
    /** @param {any} state @param {boolean} effective @param {number[]} flips */
    show(state, effective, flips) {
      const range = state.ranges[name];
      made.classList.toggle("ranged", Boolean(range));
      made.classList.toggle("idle", !effective);
      made.classList.toggle("changed", Boolean(range) || state.settings[name] !== neutral);
      sweep.setAttribute("aria-pressed", String(Boolean(range)));
      single.hidden = Boolean(range);
      low.hidden = high.hidden = band.hidden = !range;
      if (range) {
        [low.value, high.value] = range.map(String);
        band.style.left = place(Math.min(...range));
        band.style.width = `calc(${place(Math.max(...range))} - ${place(Math.min(...range))})`;
        value.textContent = range.map((end) => format(end, unit)).join(" … ");
      } else {
        single.value = String(state.settings[name]);
        value.textContent = format(state.settings[name], unit);
      }
      single.setAttribute("aria-valuetext", `${value.textContent} ${unit}`);
      marks.replaceChildren(...(range ? flips : []).map((at) => element("em", { style: { left: place(at) }, title: "the prediction flips here" })));
    },
  };
}
