// The numbers at the cursor: a row for all images and for each class that is on.
import { element } from "./dom.js";
import { curveOf, percentText, pointsText } from "./impact_data.js";
import { classColour } from "./matching.js";

/**
 * @typedef {object} NumbersRow
 * @property {string} name
 * @property {number} count of images
 * @property {number} group 0 for all, from 1 for the classes
 * @property {number} colour
 */

export function impactNumbers() {
  const body = element("tbody");
  const heading = element("th", { scope: "col" });
  const heads = ["95% interval", "from neutral", "safe range"].map((name) => element("th", { scope: "col" }, name));
  const table = element("table.impact-numbers", {}, element("thead", {}, element("tr", {}, element("td"), heading, ...heads)), body);

  return {
    element: table,
    /** @param {any} path @param {string} metric @param {number} place @param {Float32Array} resting of each group when neutral @param {NumbersRow[]} rows */
    show(path, metric, place, resting, rows) {
      heading.textContent = metric;
      body.replaceChildren(...rows.map(({ name, count, group, colour }) => {
        const { value, low, high } = curveOf(path, metric, group);
        const ends = group === 0 ? path.safe?.ends : path.safe?.classes[name];
        return element("tr", {},
          element("th", { scope: "row", title: `${name}, ${count} images` }, element("div", {},
            element("i", { style: { background: classColour(colour) } }), element("span", {}, name), element("small", {}, count.toLocaleString("en")))),
          element("td", {}, element("b", {}, percentText(value[place]))),
          element("td", {}, `${percentText(low[place])} – ${percentText(high[place])}`),
          element("td", {}, pointsText(value[place] - resting[group])),
          element("td", {}, ends ? (ends[0] === ends[1] ? `only ${ends[0]}` : `${ends[0]} to ${ends[1]}`) : "–"));
      }));
    },
  };
}
