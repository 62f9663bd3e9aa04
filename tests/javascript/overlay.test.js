import assert from "node:assert/strict";
import { test } from "node:test";
import { between, colour, fullScale } from "../../augimpact/render/overlay.js";

const GREY = Uint8Array.from({ length: 768 }, (_, index) => Math.floor(index / 3));

test("one scale for the sweep, or each frame its own", () => {
  const maps = Float32Array.from([1, 4, 2, 3, -5, 0.5]);
  assert.deepEqual([...fullScale(maps, 3, "frame")], [4, 3, 0.5]);
  assert.deepEqual([...fullScale(maps, 3, "sweep")], [4, 4, 4]);
});

test("pixels fall between the middles of cells, and stay inside", () => {
  const { before, after, share } = between(4, 2);
  assert.deepEqual([...before], [0, 0, 0, 1]);
  assert.deepEqual([...after], [1, 1, 1, 1]);
  assert.deepEqual([...share], [0, 0.25, 0.75, 0]);
});

test("the highest value takes the brightest colour, nothing and less the darkest", () => {
  const pixels = new Uint8ClampedArray(2 * 2 * 4);
  colour(Float32Array.from([2, 0, -3, 1]), 2, 2, 2, GREY, 2, pixels);
  assert.deepEqual([pixels[0], pixels[4], pixels[8], pixels[12]], [255, 0, 0, 128]);
  assert.deepEqual([pixels[3], pixels[7]], [255, 255]);
});

test("an empty map is dark, not broken", () => {
  const pixels = new Uint8ClampedArray(4);
  colour(Float32Array.from([0]), 1, 1, 0, GREY, 1, pixels);
  assert.deepEqual([...pixels], [0, 0, 0, 255]);
});
