import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  cellAt, cellOf, cellWords, classBorders, evenTicks, fitted, gridWords, legendOf, legendPlace, moved, placeOn, rankColour,
} from "../../augimpact/render/cells.js";
import { CLASS_COLOURS } from "../../augimpact/render/matching.js";

const PLOT = { left: 40, top: 10, width: 300, height: 200 };
const AXES = [
  { name: "rotation", label: "rotation", unit: "degrees", neutral: 0, values: [-90, -45, 0, 45, 90] },
  { name: "crop_x", label: "crop x", unit: "share of the side", neutral: 0.5, values: [1, 0.5, 0] },
];
const SCORES = { minimum: 0, maximum: 1, unit: "", decimals: 2 };

test("the cell under a point is counted from the left and from below", () => {
  assert.deepEqual(cellAt(41, 209, PLOT, 5, 4), { column: 0, row: 0 });
  assert.deepEqual(cellAt(339, 11, PLOT, 5, 4), { column: 4, row: 3 });
  assert.deepEqual(cellAt(40 + 150, 10 + 130, PLOT, 5, 4), { column: 2, row: 1 });
  for (const [x, y] of [[39, 100], [341, 100], [100, 9], [100, 211]]) assert.equal(cellAt(x, y, PLOT, 5, 4), null);
});

test("values lie in the middle of their cells, on axes that rise and fall", () => {
  for (const { values } of AXES) values.forEach((value, index) => assert.equal(placeOn(values, value), index + 0.5));
  assert.equal(placeOn([0, 1], 0.5), 1);
  // Half a step beyond the ends still belongs to the cells there.
  assert.deepEqual([-0.5, 1.5, -0.51, 1.51].map((value) => placeOn([0, 1], value)), [0, 2, null, null]);
});

test("a setting finds the cell that is nearest", () => {
  assert.deepEqual(cellOf(AXES, { rotation: 45, crop_x: 1 }), { column: 3, row: 0 });
  assert.deepEqual(cellOf(AXES, { rotation: 26, crop_x: 0.2 }), { column: 3, row: 2 });
  assert.deepEqual(cellOf(AXES, { rotation: 112.5, crop_x: 0 }), { column: 4, row: 2 });
  for (const setting of [{}, { rotation: 45 }, { rotation: 120, crop_x: 0 }, { rotation: null, crop_x: 0 }])
    assert.equal(cellOf(AXES, setting), null);
});

test("keys move by a cell or to an end, and stay on the grid", () => {
  const from = (column, row, key) => Object.values(moved({ column, row }, key, 5, 3));
  assert.deepEqual(from(2, 1, "ArrowLeft"), [1, 1]);
  assert.deepEqual(from(2, 1, "ArrowUp"), [2, 2]);
  assert.deepEqual(from(2, 1, "Home"), [0, 1]);
  assert.deepEqual(from(2, 1, "End"), [4, 1]);
  assert.deepEqual(from(2, 1, "PageUp"), [2, 2]);
  assert.deepEqual(from(2, 1, "PageDown"), [2, 0]);
  assert.deepEqual(from(4, 2, "ArrowRight"), [4, 2]);
  assert.deepEqual(from(0, 0, "ArrowDown"), [0, 0]);
  for (const key of ["Tab", "a", "toString"]) assert.equal(moved({ column: 0, row: 0 }, key, 5, 3), null);
});

/** Every side between two cells of different classes, one by one. */
function sides(ranks, columns, rows) {
  const found = new Set();
  for (let y = 0; y < rows; y++)
    for (let x = 0; x < columns; x++) {
      if (x && ranks[y * columns + x] !== ranks[y * columns + x - 1]) found.add(`${[x, y, x, y + 1]}`);
      if (y && ranks[y * columns + x] !== ranks[(y - 1) * columns + x]) found.add(`${[x, y, x + 1, y]}`);
    }
  return found;
}

/** Lines taken apart into sides of single cells. */
function taken(lines) {
  const found = new Set();
  for (const [x0, y0, x1, y1] of lines)
    for (let step = 0; step < x1 - x0 + (y1 - y0); step++)
      found.add(`${x0 === x1 ? [x0, y0 + step, x0, y0 + step + 1] : [x0 + step, y0, x0 + step + 1, y0]}`);
  return found;
}

test("borders run wherever the class changes and nowhere else, straight ones in one piece", () => {
  // prettier-ignore
  const ranks = [
    0, 0, 1,
    0, 0, 1,
    2, 2, 1,
  ];
  assert.deepEqual(classBorders(ranks, 3, 3), [[2, 0, 2, 3], [0, 2, 2, 2]]);
  assert.deepEqual(classBorders([4, 4, 4, 4], 2, 2), []);
  let seed = 1;
  const random = () => (seed = (seed * 48271) % 2147483647) / 2147483647;
  for (const [columns, rows] of [[2, 2], [7, 3], [3, 11], [40, 50]]) {
    const some = Array.from({ length: columns * rows }, () => Math.floor(random() * 3));
    const lines = classBorders(some, columns, rows);
    assert.deepEqual(taken(lines), sides(some, columns, rows));
    // No two of them could be one.
    const ends = new Set(lines.map(([x0, y0, x1]) => `${x0 === x1 ? "|" : "-"}${[x0, y0]}`));
    assert.ok(lines.every(([x0, , x1, y1]) => !ends.has(`${x0 === x1 ? "|" : "-"}${[x1, y1]}`)));
  }
});

test("each class has a colour while the theme's last; of more, the grey is all the others'", () => {
  assert.deepEqual([0, 1, 4, 5, 6, 7, 8, 700].map(rankColour), [0, 1, 4, 6, 7, 5, 5, 5]);
  const theme = readFileSync(new URL("../../augimpact/render/theme.css", import.meta.url), "utf8");
  assert.equal(new Set(theme.match(/--class-\d+(?=:)/g)).size, CLASS_COLOURS);
  assert.deepEqual(legendOf(["only"], [20]), [{ name: "only", share: "100 %", colour: 0 }]);
  const eight = legendOf([..."abcdefgh"], [992, 2, 1, 1, 1, 1, 1, 1]);
  assert.deepEqual(eight.map(({ name, colour }) => name + colour), ["a0", "b1", "c2", "d3", "e4", "f6", "g7", "h5"]);
  assert.deepEqual(eight.map(({ share }) => share), ["99 %", ...Array(7).fill("< 1 %")]);
  const many = legendOf([..."abcdefghij"], [30, 20, 10, 10, 5, 5, 5, 8, 5, 2]);
  assert.deepEqual(many.map(({ name }) => name), [..."abcdefg", "3 others"]);
  assert.deepEqual(many[7], { name: "3 others", share: "15 %", colour: 5 });
  assert.deepEqual([0, 6, 7, 9].map(legendPlace), [0, 6, 7, 7]);
});

test("a cell is said in words: setting, prediction, score, and the target's where it is another", () => {
  const surface = {
    axes: AXES, names: ["cat", "dog"], target: "cat", value_axis: SCORES,
    ranks: [...Array(8).fill(0), 1, ...Array(6).fill(0)],
    scores: [...Array(8).fill(0.9), 0.26, ...Array(6).fill(0.9)], best: [...Array(8).fill(0.9), 0.7, ...Array(6).fill(0.9)],
  };
  assert.equal(cellWords(surface, { column: 3, row: 1 }), "rotation 45.0°, crop x 0.50: dog 0.70 · cat 0.26");
  assert.equal(cellWords(surface, { column: 0, row: 0 }), "rotation −90.0°, crop x 1.00: cat 0.90");
  const values = {
    ...surface, names: ["dots < 5 mm", "dots ≥ 5 mm"], target: "dots", best: null,
    value_axis: { minimum: -2, maximum: 8, unit: "mm", decimals: 1 },
  };
  assert.equal(cellWords(values, { column: 3, row: 1 }), "rotation 45.0°, crop x 0.50: dots 0.3 mm (dots ≥ 5 mm)");
});

test("the whole grid is said in one sentence", () => {
  const of = (names, counts) => gridWords({ axes: AXES, names, counts });
  assert.equal(of(["cat"], [15]), "cat in all of 15 settings");
  assert.equal(of(["cat", "dog"], [10, 5]), "cat in 10 of 15 settings, dog in 5");
  assert.equal(of(["cat", "dog", "cow"], [10, 4, 1]), "cat in 10 of 15 settings, 2 others elsewhere");
});

test("long labels are cut to what fits", () => {
  const measure = (text) => [...text].length;
  assert.equal(fitted("rotation (degrees)", 18, measure), "rotation (degrees)");
  assert.equal(fitted("rotation (degrees)", 17, measure), "rotation (degree…");
  assert.equal(fitted("rotation (degrees)", 10, measure), "rotation…");
  assert.equal(fitted("𝔸𝔹ℂ𝔻", 3, measure), "𝔸𝔹…");
  assert.equal(fitted("rotation", 0, measure), "…");
});

test("ticks stand at one distance where the number of values allows it", () => {
  const of = (count, most) => evenTicks(Array.from({ length: count }, (_, index) => index), most);
  assert.deepEqual(of(11, 7), [0, 2, 4, 6, 8, 10]);
  assert.deepEqual(of(37, 6), [0, 9, 18, 27, 36]);
  assert.deepEqual(of(5, 7), [0, 1, 2, 3, 4]);
  assert.deepEqual(of(2, 7), [0, 1]);
  assert.deepEqual(of(11, 2), [0, 10]);
  assert.deepEqual(of(14, 5), [0, 3, 7, 10, 13]);
});
