import assert from "node:assert/strict";
import { test } from "node:test";
import { advance, format, tickText, ticks } from "../../augimpact/render/playback.js";

function played(count, loop, steps) {
  const seen = [0];
  let frame = 0;
  let direction = 1;
  for (let step = 0; step < steps; step++) {
    const next = advance(frame, direction, count, loop);
    if (next.frame === null) break;
    ({ frame, direction } = next);
    seen.push(frame);
  }
  return seen;
}

test("back and forth turns at both ends", () => {
  assert.deepEqual(played(3, "back and forth", 8), [0, 1, 2, 1, 0, 1, 2, 1, 0]);
});

test("forward begins again", () => assert.deepEqual(played(3, "forward", 5), [0, 1, 2, 0, 1, 2]));

test("once stops at the end", () => assert.deepEqual(played(3, "once", 9), [0, 1, 2]));

test("a single frame stays", () => {
  assert.deepEqual(played(1, "back and forth", 3), [0, 0, 0, 0]);
  assert.deepEqual(played(1, "forward", 2), [0, 0, 0]);
});

test("values are written as a person reads them", () => {
  assert.equal(format(-12.26, "degrees"), "−12.3°");
  assert.equal(format(1.4, "factor"), "1.40");
  assert.equal(format(-0.001, "factor"), "0.00");
});

test("a tick has the value of its frame, and of a single frame its setting", () => {
  const axis = { values: [-60, 60], unit: "degrees" };
  assert.deepEqual([0, 1].map((frame) => tickText({ tags: ["rotation −60.0°", "rotation 60.0°"], axis }, frame)), ["−60.0°", "60.0°"]);
  assert.equal(tickText({ tags: ["brightness 0.20"], axis: { values: [1], unit: "" } }, 0), "brightness 0.20");
});

test("ticks are spread from the first frame to the last", () => {
  assert.deepEqual(ticks([...Array(48).keys()], 5), [0, 12, 24, 35, 47]);
  assert.deepEqual(ticks([1, 2], 5), [0, 1]);
  assert.deepEqual(ticks([1], 5), [0]);
  assert.deepEqual(ticks([], 5), []);
});
