// What the whole sweep comes to, in a line: its flips, each a way to go there, the stable range, the area under the curve,
// and which part of it is inside the data.
import { element } from "./dom.js";
import { format } from "./playback.js";

// A longer list folds.
const LISTED = 8;
const LISTED_RUNS = 3;

/** @param {(frame: number) => void} scrub */
export function facts(scrub) {
  const box = element("div.facts");

  return {
    element: box,
    /**
     * @param {any} trace see payload.js; null: nothing is known
     * @param {{runs: [number, number][], by: string}|null} [inside] the parts of it inside the data, by their frames; by
     *   which measures it is outside where there is none; null: there is no data
     * @param {boolean} [pending] whether the data is still to come; its place is kept
     */
    setTrace(trace, inside = null, pending = false) {
      const variants = trace ? [trace, trace.second].filter(Boolean) : [];
      const lines = variants.map((variant) => {
        const said = [flipsText(variant), ...stableTexts(variant.stability.ranges), areaText(variant.stability.area)];
        // What a person hears, or copies, has spaces between its parts.
        return element("p", {}, ...said.filter(Boolean).flatMap((part) => [part, " "]));
      });
      // Two methods explain the same predictions.
      const same = lines.length === 2 && lines[0].textContent === lines[1].textContent;
      if (lines.length && inside) lines[0].append(insideText(inside, trace));
      else if (lines.length && pending) lines[0].append(element("span", {}, "what is inside the data is still measured"));
      box.replaceChildren(...lines.slice(0, same ? 1 : 2).map((line, index) => {
        const { name } = variants[index];
        return name && !same ? element("div.variant", {}, element("span.name", { title: name }, name), line) : line;
      }));
    },
  };

  function flipsText({ flips, event, axis, summary }) {
    if (!flips.length) return summary && element("span", {}, summary);
    const buttons = flips.map((flip) =>
      element("button.flip", {
        type: "button", title: `${flip.from} → ${flip.to}; shows that frame`, onclick: () => scrub(flip.frame),
      }, flip.text));
    // A comma stays in its flip's line.
    const listed = buttons.map((button, index) =>
      element("span.listed", {}, button, index < buttons.length - 1 ? "," : ""));
    const spaced = (some) => some.flatMap((each) => [" ", each]);
    const box = element("span", {}, `${event} at ${axis.label}`, ...spaced(listed.slice(0, LISTED)));
    const more = buttons.length - LISTED;
    if (more > 0) {
      const rest = spaced(listed.slice(LISTED));
      const unfold = element("button.flip.unfold", {
        type: "button", "aria-expanded": "false", onclick: () => unfold.replaceWith(...rest),
      }, ` and ${more} more`);
      box.append(unfold);
    }
    return box;
  }
}

/** Of several parameters each is named. */
const stableTexts = (ranges) => ranges.map((range) => stableText(range, ranges.length > 1 ? `${range.label} ` : ""));

function stableText({ label, around, low, high, low_flips: lowFlips, high_flips: highFlips }, named) {
  if (!lowFlips && !highFlips)
    return element("span", { title: `${label} from ${low} to ${high}` }, `${named}stable around ${around} over the whole sweep`);
  const end = (text, flips) => element("b", { title: flips ? "there it flips" : "there the sweep ends" }, text);
  return element("span", { title: `${label}: the prediction stays that of the original` },
    `${named}stable around ${around} from `, end(low, lowFlips), " to ", end(high, highFlips));
}

function insideText({ runs, by }, { count, axis, tags, stability }) {
  const title = "where every measure lies between the 1st and the 99th percentile of the data";
  const whole = runs.length === 1 && runs[0][1] - runs[0][0] === count - 1;
  if (whole || !runs.length) {
    const told = whole ? "inside the data" : `outside the data by ${by}`;
    return element("span.inside", { title }, told + (count > 1 ? " over the whole sweep" : ""));
  }
  // Of several parameters the axis has the first alone, and any of them may be what leads out.
  const told = (frame) => (stability.ranges.length > 1 ? tags[frame] : format(axis.values[frame], axis.unit));
  const end = (frame) => element("b", {}, told(frame));
  const parts = runs.slice(0, LISTED_RUNS).flatMap(([first, last], index) => [
    index ? ", " : " ", ...(first === last ? ["at ", end(first)] : ["from ", end(first), " to ", end(last)]),
  ]);
  const more = runs.length - LISTED_RUNS;
  return element("span.inside", { title }, "inside the data", ...parts, more > 0 ? ` and ${more} more` : "");
}

const areaText = (area) => area && element("span", { title: area.about }, "confidence area ", element("b", {}, area.text));
