// The numbers of the frame that is shown: a tile a measure with its value, its difference from the original, and its
// course over the sweep, on which a person can click or drag to scrub.
import { element } from "./dom.js";
import { extent, outline, sparkline } from "./sparkline.js";
import { numberText } from "./values.js";

/** @param {(frame: number) => void} scrub */
export function numbers(scrub) {
  const grid = element("div.tiles");
  const box = element("section.card.numbers", { "aria-label": "numbers of this frame", hidden: true },
    element("h2", {}, "This frame"), grid);
  let tiles = [];
  let trace = null;

  return {
    element: box,
    /** @param {any} shown see payload.js; null: nothing is known */
    setTrace(shown) {
      trace = shown;
      build(shown?.numbers ?? []);
    },
    /** @param {number} frame */
    setFrame(frame) {
      for (const tile of tiles) tile.show(tile.series.values[frame], tile.series.original, tile.second?.values[frame], frame);
    },
    /**
     * A frame that is no part of the sweep.
     * @param {any} preview
     * @param {any} original the image as it was, if it came along
     */
    setPreview(preview, original) {
      if (!tiles.length) build(preview.numbers.map((series) => ({ ...series, values: [] })));
      for (const tile of tiles) {
        const value = (shown) => shown?.numbers.find(({ name }) => name === tile.series.name)?.values[0];
        tile.show(value(preview), value(original) ?? tile.series.original, value(preview.second), null);
      }
    },
  };

  function build(list) {
    const other = (name) => trace?.second?.numbers.find((series) => series.name === name);
    tiles = list.map((series) => tile(series, other(series.name)));
    grid.replaceChildren(...tiles.map((each) => each.element));
    box.hidden = !tiles.length;
  }

  function tile(series, second) {
    const { name, about, unit, decimals, original } = series;
    const value = element("b");
    const difference = element("span.difference");
    const cursor = element("i.cursor", { hidden: true });
    const ends = extent([...series.values, original, ...(second?.values ?? [])], decimals);
    const chart = element(
      "div.spark", {},
      sparkline(
        ...(original === null ? [] : [[outline([original, original], ends), "original"]]),
        ...(second ? [[outline(second.values, ends), "second"]] : []),
        [outline(series.values, ends), "own"],
      ),
      cursor,
    );
    const count = series.values.length;
    const seek = (event) => {
      const { left, width } = chart.getBoundingClientRect();
      scrub(Math.round(Math.min(1, Math.max(0, (event.clientX - left) / width)) * (count - 1)));
    };
    chart.addEventListener("pointerdown", (event) => {
      if (!count) return;
      chart.setPointerCapture(event.pointerId);
      seek(event);
    });
    chart.addEventListener("pointermove", (event) => chart.hasPointerCapture(event.pointerId) && seek(event));
    const text = (number) => numberText(number, decimals) + (unit && Number.isFinite(number) ? ` ${unit}` : "");
    return {
      series,
      second,
      element: element("div.tile", { title: about, dataset: { name } },
        element("div.name", {}, name), element("div.value", {}, value, difference), chart),
      show(own, neutral, beside, frame) {
        value.textContent = text(own) + (second ? ` · ${text(beside)}` : "");
        const known = Number.isFinite(own) && Number.isFinite(neutral);
        difference.textContent = known ? signed(own - neutral, decimals) : "";
        difference.title = known ? `the original has ${text(neutral)}` : "";
        cursor.hidden = frame === null;
        if (frame !== null) cursor.style.left = `${count > 1 ? (100 * frame) / (count - 1) : 0}%`;
      },
    };
  }
}

/** @param {number} value @param {number} decimals */
function signed(value, decimals) {
  const text = numberText(value, decimals);
  return Number(text) === 0 ? "±0" : value > 0 ? `+${text}` : text;
}
