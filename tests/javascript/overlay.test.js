import assert from "node:assert/strict";
import { test } from "node:test";
import { between, colour, fullScale, opacityTable } from "../../augimpact/render/overlay.js";

const GREY = Uint8Array.from({ length: 768 }, (_, index) => Math.floor(index / 3));

/** The red bytes of a map of 16-bit values in a frame of the given size; what is no map's is left as it was. */
function drawn({ values, height, width, highest }, full, size) {
  const pixels = { ...size, data: new Uint8ClampedArray(size.width * size.height * 4) };
  colour({ values: Uint16Array.from(values), height, width, highest }, full, GREY, opacityTable(1), pixels);
  assert.ok(pixels.data.every((value, index) => index % 4 !== 3 || value === 255));
  return [...pixels.data].filter((_, index) => index % 4 === 0);
}

test("one scale for the sweep, or each frame its own", () => {
  assert.deepEqual(fullScale([4, 3, 0.5], "frame"), [4, 3, 0.5]);
  assert.deepEqual(fullScale([4, 3, 0.5], "sweep"), [4, 4, 4]);
  assert.deepEqual(fullScale([0, 0], "sweep"), [0, 0]);
});

test("pixels fall between the middles of cells, and stay inside", () => {
  const { before, after, share } = between(4, 2);
  assert.deepEqual([...before], [0, 0, 0, 1]);
  assert.deepEqual([...after], [1, 1, 1, 1]);
  assert.deepEqual([...share], [0, 0.25, 0.75, 0]);
});

test("the highest value takes the brightest colour, nothing the darkest", () => {
  const map = { values: [65535, 0, 0, 32768], height: 2, width: 2, highest: 2 };
  assert.deepEqual(drawn(map, 2, { width: 2, height: 2 }), [255, 0, 0, 128]);
  assert.deepEqual(drawn(map, 4, { width: 2, height: 2 }), [128, 0, 0, 64]);
  assert.deepEqual(drawn(map, 1, { width: 2, height: 2 }), [255, 0, 0, 255]);
});

test("the map covers what it says something of, and everything where it is opaque", () => {
  assert.deepEqual([0, 255].map((place) => opacityTable(0.5)[place]), [32, 128]);
  assert.ok(opacityTable(1).every((byte) => byte === 255));
  assert.ok(opacityTable(0).every((byte) => byte === 0));
  const map = { values: [65535, 0], height: 1, width: 2, highest: 1 };
  const pixels = { width: 2, height: 1, data: new Uint8ClampedArray(8) };
  colour({ ...map, values: Uint16Array.from(map.values) }, 1, GREY, opacityTable(0.5), pixels);
  assert.deepEqual([...pixels.data], [255, 255, 255, 128, 0, 0, 0, 32]);
});

test("a map is stretched over the whole of a wide frame, in rows and columns of its own", () => {
  const signal = { values: [0, 65535], height: 1, width: 2, highest: 1 };
  assert.deepEqual(drawn(signal, 1, { width: 4, height: 2 }), [0, 64, 191, 255, 0, 64, 191, 255]);
  const standing = { values: [0, 65535], height: 2, width: 1, highest: 1 };
  assert.deepEqual(drawn(standing, 1, { width: 1, height: 4 }), [0, 64, 191, 255]);
});

test("an empty map is dark, not broken", () => {
  const empty = { values: [0], height: 1, width: 1, highest: 0 };
  assert.deepEqual(drawn(empty, 0, { width: 1, height: 1 }), [0]);
  assert.deepEqual(drawn(empty, 3, { width: 1, height: 1 }), [0]);
});
