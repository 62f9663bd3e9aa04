// A row for each parameter: its slider, its value, the switch that makes it a range to sweep, and reset.
import { element } from "../render/dom.js";
import { format } from "../render/playback.js";

/**
 * @typedef {{name: string, label: string, group: string, minimum: number, maximum: number, neutral: number,
 *            sweep: number[], unit: string, description: string, needs: string[], first: boolean}} Parameter
 */

/**
 * The setting in which a parameter has an effect: what it needs is away from neutral, by half its sweep where it was not.
 * @param {{settings: Record<string, number>, ranges: Record<string, number[]>}} state
 * @param {Parameter} parameter
 * @param {Record<string, Parameter>} catalogue
 */
export function enabled(state, parameter, catalogue) {
  const settings = { ...state.settings };
  for (const name of parameter.needs) {
    const { neutral, sweep } = catalogue[name];
    if (!(name in state.ranges) && settings[name] === neutral) settings[name] = (sweep[0] + sweep[1]) / 2;
  }
  return settings;
}

/**
 * The setting and ranges with one parameter's switch turned: to a range, or back to the value it has.
 * @param {{settings: Record<string, number>, ranges: Record<string, number[]>}} state
 * @param {Parameter} parameter
 * @param {Record<string, Parameter>} catalogue
 */
export function toggledRange(state, parameter, catalogue) {
  const { [parameter.name]: range, ...ranges } = state.ranges;
  if (range) return { ranges };
  return { ranges: { ...ranges, [parameter.name]: [...parameter.sweep] }, settings: enabled(state, parameter, catalogue) };
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
 * Whether the parameter is swept or away from neutral.
 * @param {{settings: Record<string, number>, ranges: Record<string, number[]>}} state
 * @param {Parameter} parameter
 */
export function isChanged(state, { name, neutral }) {
  return name in state.ranges || state.settings[name] !== neutral;
}

/**
 * Whether a parameter is one that a person looks for.
 * @param {Parameter} parameter
 * @param {string} words in lower case
 */
export function matches({ label, group, description }, words) {
  return [label, group, description].some((text) => text.toLowerCase().includes(words));
}

/**
 * The number that a person typed, inside the parameter's range; null where it is none.
 * @param {string} text
 * @param {Parameter} parameter
 */
export function parsed(text, { minimum, maximum }) {
  const number = Number(text.trim().replace(/^[−–]/, "-").replace(",", ".").replace(/°$/, ""));
  return text.trim() === "" || !Number.isFinite(number) ? null : Math.min(maximum, Math.max(minimum, number));
}

/**
 * @param {Parameter} parameter
 * @param {{change: (part: object) => void, state: () => any, catalogue: Record<string, Parameter>}} host
 */
export function row(parameter, host) {
  const { name, label, minimum, maximum, neutral, unit } = parameter;
  const step = (maximum - minimum) / (unit === "degrees" ? 720 : 200);
  const place = (value) => `${((value - minimum) / (maximum - minimum)) * 100}%`;
  // While a slider is dragged drafts are shown; released, it asks for the whole picture.
  const slider = (what, oninput) =>
    element("input", {
      type: "range", min: minimum, max: maximum, step, "aria-label": what, oninput,
      onchange: () => host.change({ draft: false }),
    });
  const typed = (what, set) => {
    const made = element("input.number", {
      type: "text", inputmode: "decimal", "aria-label": what, onfocus: () => made.select(),
      onchange: () => {
        const value = parsed(made.value, parameter);
        if (value !== null) set(value, false);
        shown();
      },
    });
    return made;
  };

  const single = slider(label, () => setValue(+single.value, true));
  const low = slider(`${label}, start of the sweep`, () => setRange(0, +low.value, true));
  const high = slider(`${label}, end of the sweep`, () => setRange(1, +high.value, true));
  const band = element("b.band");
  const marks = element("span.marks");
  const origin = element("i.neutral", { style: { left: place(neutral) } });
  const track = element("div.track", {}, origin, band, marks, single, low, high);
  const number = typed(`${label}, value`, setValue);
  const ends = [typed(`${label}, start value`, (value) => setRange(0, value, false)),
    typed(`${label}, end value`, (value) => setRange(1, value, false))];
  const between = element("span.ends", {}, ends[0], "to", ends[1]);
  const sweep = element(
    "button.icon", {
      type: "button", "aria-label": `sweep ${label}`, title: "sweep a range",
      onclick: () => host.change(toggledRange(host.state(), parameter, host.catalogue)),
    }, "⇄",
  );
  const back = element(
    "button.icon.reset", {
      type: "button", "aria-label": `reset ${label}`, title: "back to neutral",
      onclick: () => host.change({ ...reset(host.state(), [parameter]), draft: false }),
    }, "↺",
  );
  const made = element(
    "div.row", { dataset: { name }, title: `${parameter.description} (${unit})` },
    element("span.name", {}, label), track, number, sweep, back, between,
  );
  let shown = () => {};

  function setValue(next, draft) {
    host.change({ settings: { ...enabled(host.state(), parameter, host.catalogue), [name]: next }, draft });
  }

  function setRange(end, next, draft) {
    const range = [...host.state().ranges[name]];
    range[end] = next;
    // What is dragged is shown: the picture follows the end that moves.
    host.change({
      ranges: { ...host.state().ranges, [name]: range },
      settings: { ...host.state().settings, [name]: next },
      draft,
    });
  }

  const write = (input, text) => {
    if (document.activeElement !== input) input.value = text;
  };

  return {
    element: made,
    /** @param {any} state @param {number[]} flips */
    show(state, flips) {
      shown = () => {
        number.value = format(state.settings[name], unit);
        (state.ranges[name] ?? []).forEach((end, index) => (ends[index].value = format(end, unit)));
      };
      const range = state.ranges[name];
      made.classList.toggle("ranged", Boolean(range));
      made.classList.toggle("changed", isChanged(state, parameter));
      sweep.setAttribute("aria-pressed", String(Boolean(range)));
      single.hidden = number.hidden = Boolean(range);
      low.hidden = high.hidden = band.hidden = between.hidden = !range;
      if (range) {
        [low.value, high.value] = range.map(String);
        band.style.left = place(Math.min(...range));
        band.style.width = `calc(${place(Math.max(...range))} - ${place(Math.min(...range))})`;
        range.forEach((end, index) => {
          write(ends[index], format(end, unit));
          [low, high][index].setAttribute("aria-valuetext", `${format(end, unit)} ${unit}`);
        });
      } else {
        single.value = String(state.settings[name]);
        write(number, format(state.settings[name], unit));
        single.setAttribute("aria-valuetext", `${number.value} ${unit}`);
      }
      marks.replaceChildren(...(range ? flips : []).map((at) =>
        element("em", { style: { left: place(at) }, title: `the prediction flips at ${format(at, unit)}` })));
    },
  };
}
