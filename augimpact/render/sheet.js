// A canvas in the page's colours, as wide as its place: drawn anew when the place, the theme or the medium changes.
import { element } from "./dom.js";

/**
 * Colours of the page, for a canvas, which cannot read the page's variables: of hidden elements they can be read.
 *
 * @param {string[]} names of variables, such as `--ink`
 */
export function pageColours(names) {
  const swatches = names.map((name) => element("i", { hidden: true, style: { color: `var(${name})` } }));
  return {
    swatches,
    /** What they are now: from a name to a colour. */
    read() {
      const colours = swatches.map((swatch) => getComputedStyle(swatch).color);
      return (/** @type {string} */ name) => colours[names.indexOf(name)];
    },
  };
}

/**
 * Calls `draw` whenever what is drawn may look otherwise.
 *
 * @param {HTMLElement} box
 * @param {() => void} draw
 * @returns {() => void} ends that
 */
export function repainted(box, draw) {
  const observer = new ResizeObserver(draw);
  observer.observe(box);
  const schemes = ["(prefers-color-scheme: dark)", "print"].map((query) => window.matchMedia(query));
  for (const scheme of schemes) scheme.addEventListener("change", draw);
  // JupyterLab and Voilà tell their theme by an attribute.
  const theme = new MutationObserver(draw);
  theme.observe(document.body, { attributeFilter: ["data-jp-theme-light"] });
  return () => {
    observer.disconnect();
    theme.disconnect();
    for (const scheme of schemes) scheme.removeEventListener("change", draw);
  };
}

/**
 * @param {object} options
 * @param {string} options.canvas as `element` takes it
 * @param {string} options.box likewise
 * @param {string[]} options.colours names of variables that are painted with
 * @param {number} options.height in pixels
 * @param {() => void} options.draw
 * @param {(event: PointerEvent) => void} options.seek called while a person clicks or drags
 */
export function sheet({ canvas: named, box: boxed, colours, height, draw, seek }) {
  const canvas = element(named, { "aria-hidden": "true" });
  const { swatches, read } = pageColours(colours);
  let paint = (/** @type {string} */ _name) => "";
  const box = element(boxed, {}, canvas, ...swatches);
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    seek(event);
  });
  canvas.addEventListener("pointermove", (event) => canvas.hasPointerCapture(event.pointerId) && seek(event));
  const destroy = repainted(box, draw);
  return {
    box,
    destroy,
    /** @param {string} name of a colour, as it was when the pen was taken */
    paint: (name) => paint(name),
    width: () => box.clientWidth,
    /** @param {MouseEvent} event how far from the left edge it is */
    across: (event) => event.clientX - canvas.getBoundingClientRect().left,
    /** An empty canvas to draw on, or null where there is no place for one. */
    pen() {
      const ratio = window.devicePixelRatio || 1;
      canvas.width = Math.max(1, box.clientWidth * ratio);
      canvas.height = height * ratio;
      canvas.style.height = `${height}px`;
      if (!box.clientWidth) return null;
      paint = read();
      const pen = canvas.getContext("2d");
      pen.scale(ratio, ratio);
      pen.font = `11px ${getComputedStyle(box).fontFamily}`;
      return pen;
    },
  };
}
