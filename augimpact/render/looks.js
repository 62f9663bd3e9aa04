// How the pictures look: choices that need nobody but the browser.
import { dropdown, element, segmented } from "./dom.js";
import { OVER } from "./stage.js";

/**
 * @param {Record<string, any>} look opacity, over, colours, scale
 * @param {string[]} colourMaps
 * @param {(part: Record<string, any>) => void} change
 * @returns {HTMLElement[]}
 */
export function looks(look, colourMaps, change) {
  const named = (names) => names.map((name) => ({ value: name, label: name }));
  const opacity = element("input", {
    type: "range", min: 0, max: 1, step: 0.01, value: look.opacity, "aria-label": "opacity of the map",
    oninput: (event) => change({ opacity: +event.target.value }),
  });
  return [
    element("label.field", {}, "map over", dropdown(named(OVER), look.over, (over) => change({ over }), { "aria-label": "map over" })),
    element("label.field", {}, "opacity", opacity),
    element("label.field", {}, "colours", dropdown(named(colourMaps), look.colours, (colours) => change({ colours }))),
    element("span.field", {}, "scale", segmented("scale of the map", ["sweep", "frame"], look.scale, (scale) => change({ scale }))),
  ];
}
