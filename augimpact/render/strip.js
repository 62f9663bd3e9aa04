// The strip of scores: a bar a class, as long as its score, in its colour; a row for each of two that are compared.
import { element } from "./dom.js";
import { classColour, matchingColours } from "./matching.js";
import { valueShare, valueText } from "./values.js";

export function strip() {
  const box = element("div.strips");
  let shownFor = "";
  let rows = [];

  return {
    element: box,
    /** @param {any} shown a frame, see payload.js @param {string[]} leading labels that have the first colours */
    show(shown, leading) {
      const variants = [shown, ...(shown.second ? [shown.second] : [])];
      const wanted = JSON.stringify([leading, variants.map(({ name, labels }) => [name, labels])]);
      // Bars that stay where they are can be hovered over while it plays.
      if (wanted !== shownFor) {
        rows = variants.map((each) => row(each, matchingColours(leading, each.labels)));
        // Of two the same classes stand below each other.
        box.style.setProperty("--cells", String(Math.max(...variants.map(({ labels }) => labels.length))));
        box.replaceChildren(...rows.map((each) => each.element));
        shownFor = wanted;
      }
      variants.forEach((each, index) => rows[index].show(each));
    },
    clear() {
      box.replaceChildren();
      rows = [];
      shownFor = "";
    },
  };
}

function row({ name, labels }, colours) {
  const cells = labels.map((label, index) => {
    const background = classColour(colours[index]);
    const bar = element("div.bar", { style: { background } });
    const number = element("b");
    const cell = element(
      "div.class", {},
      element("div.cell", {}, bar),
      element("small", {}, element("i", { style: { background } }), element("span", {}, label), number),
    );
    return { cell, bar, number };
  });
  const bars = element("div.strip", {}, ...cells.map(({ cell }) => cell));
  return {
    element: name ? element("div.variant", {}, element("span.name", { title: name }, name), bars) : bars,
    show({ scores, value_axis: axis }) {
      cells.forEach(({ cell, bar, number }, index) => {
        cell.title = `${labels[index]} ${valueText(scores[index], axis, 1)}`;
        bar.style.width = `${valueShare(scores[index], axis) * 100}%`;
        number.textContent = valueText(scores[index], axis);
      });
    },
  };
}
