// A small curve over the sweep that scales with its box, with a cursor at one frame.

/**
 * The ends of the vertical axis: what there is, and no less than ten steps of the last digit, for that is all that is told.
 * @param {(number|null)[]} values
 * @param {number} decimals
 * @returns {[number, number]}
 */
export function extent(values, decimals) {
  const known = values.filter((value) => value !== null && Number.isFinite(value));
  if (!known.length) return [0, 1];
  const low = known.reduce((a, b) => Math.min(a, b));
  const high = known.reduce((a, b) => Math.max(a, b));
  const short = 10 * 10 ** -decimals - (high - low);
  return short > 0 ? [low - short / 2, high + short / 2] : [low, high];
}

/**
 * The path of an SVG of 100 × 100; it is broken where a value is missing.
 * @param {(number|null)[]} values
 * @param {[number, number]} ends
 */
export function outline(values, [low, high]) {
  let path = "";
  let pen = "M";
  values.forEach((value, index) => {
    if (value === null) {
      pen = "M";
      return;
    }
    const x = values.length > 1 ? (100 * index) / (values.length - 1) : 0;
    const y = 100 - (100 * (value - low)) / (high - low);
    path += `${pen}${x.toFixed(2)} ${y.toFixed(2)}`;
    // A point alone is a line that goes nowhere, which round ends make a dot.
    if (pen === "M" && (values[index + 1] ?? null) === null) path += values.length > 1 ? "h0" : "h100";
    pen = "L";
  });
  return path;
}

/**
 * @param {string[]} paths and classes, `[path, class]` each
 * @returns {SVGElement}
 */
export function sparkline(...paths) {
  // Fixed markup, in which the parser makes SVG of what is named so; all that varies is set as an attribute.
  const template = document.createElement("template");
  template.innerHTML = '<svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true"><path vector-effect="non-scaling-stroke"/></svg>';
  const box = template.content.firstElementChild;
  const pattern = box.firstElementChild;
  box.replaceChildren(...paths.map(([path, kind]) => {
    const line = pattern.cloneNode();
    line.setAttribute("d", path);
    line.setAttribute("class", kind);
    return line;
  }));
  return box;
}
