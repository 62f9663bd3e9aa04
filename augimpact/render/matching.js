// Which colour a class has: the same one wherever it is shown, and of two that are compared the same by its name.

// So many colours there are, `--class-0` and on.
export const CLASS_COLOURS = 8;

/**
 * The places of colours of the second's labels; those that the first knows take its colours.
 * @param {string[]} first
 * @param {string[]} second
 * @returns {number[]}
 */
export function matchingColours(first, second) {
  const known = second.map((label) => first.indexOf(label));
  const places = Array.from({ length: CLASS_COLOURS }, (_, index) => index);
  // Rather none of the first's colours than one of those that are not shown here.
  const free = [...places.slice(first.length), ...places.slice(0, first.length).filter((place) => !known.includes(place))];
  return known.map((place) => (place >= 0 ? place : (free.shift() ?? CLASS_COLOURS - 1)) % CLASS_COLOURS);
}

/** @param {number} place */
export const classColour = (place) => `var(--class-${place % CLASS_COLOURS})`;
