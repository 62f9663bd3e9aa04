import assert from "node:assert/strict";
import { test } from "node:test";
import { choiceText, listed } from "../../augimpact/widgets/class_picker.js";

const NAMES = ["tabby cat", "Persian cat", "moped", "car wheel"];

test("chosen classes come first, then those that hold all the words", () => {
  assert.deepEqual(listed(NAMES, [], "CAT"), { shown: [0, 1], more: 0 });
  assert.deepEqual(listed(NAMES, [2], "cat per"), { shown: [2, 1], more: 0 });
  assert.deepEqual(listed(NAMES, [1], "cat"), { shown: [1, 0], more: 0 });
  assert.deepEqual(listed(NAMES, [], "dog"), { shown: [], more: 0 });
});

test("of a thousand classes some are listed and the rest is counted", () => {
  const many = Array.from({ length: 1000 }, (_, index) => `class ${index}`);
  const { shown, more } = listed(many, [999], "");
  assert.equal(shown.length, 61);
  assert.equal(shown[0], 999);
  assert.equal(more, 939);
});

test("what is chosen is said in few words", () => {
  assert.equal(choiceText(NAMES, []), "all 4");
  assert.equal(choiceText(NAMES, [2]), "moped and one more…");
  assert.equal(choiceText(NAMES, [2, 0]), "2 of 4: moped, tabby cat");
});
