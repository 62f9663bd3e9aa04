// The pictures beside each other: the original, the augmented one, and that of a second model or method. The map can lie
// over any of them, and is gone while somebody holds a picture down.
import { element } from "./dom.js";
import { screen } from "./screen.js";

export const OVER = ["both", "augmented", "original", "none"];
// Frames that are wider than this many times their height lie one above the other.
const WIDE = 1.6;

/** Whether the map lies over the picture. @param {string} over one of OVER @param {string} picture one of two of them */
export const liesOver = (over, picture) => over === "both" || over === picture;

export function stage() {
  const original = screen("original");
  const augmented = screen("augmented");
  const second = screen("second");
  const screens = [original, augmented, second];
  // Why nothing is shown, seen only where nothing is.
  const trouble = element("p.trouble");
  augmented.element.append(trouble);
  const box = element("div.stage.blank", { title: "hold a picture down (or the M key) to see it without its map" },
    ...screens.map((each) => each.element));
  let held = false;
  let again = () => {};
  // The original changes with the looks alone, not with every frame.
  let painted = "";

  /** Shows the pictures without maps, until it is called with false. @param {boolean} on */
  function hold(on) {
    if (held === on) return;
    held = on;
    again();
  }
  box.addEventListener("pointerdown", (event) => event.button === 0 && hold(true));
  for (const name of ["pointerup", "pointercancel", "pointerleave"]) box.addEventListener(name, () => hold(false));

  const tagged = (shown) => (shown.name ? `${shown.name} · ${shown.tag}` : shown.tag);

  return {
    element: box,
    hold,
    /**
     * @param {any} shown a frame, see payload.js; its `second` beside it
     * @param {any} first the image as it was, if it is known
     * @param {{own: number, second: number}|null} full what is brightest in all frames; null: each on its own scale
     * @param {{opacity: number, over: string, table: Uint8Array, colours: string}} look
     */
    paint(shown, first, full, look) {
      again = () => this.paint(shown, first, full, look);
      box.classList.remove("blank");
      const { table } = look;
      const opacity = (picture) => (!held && liesOver(look.over, picture) ? look.opacity : 0);
      original.element.hidden = !first;
      second.element.hidden = !shown.second;
      box.classList.toggle("wide", shown.bitmap.width > WIDE * shown.bitmap.height);
      box.classList.toggle("three", Boolean(first && shown.second));
      box.classList.toggle("one", !first && !shown.second);
      const wanted = JSON.stringify([first?.number, full?.own, opacity("original"), look.colours]);
      if (first && wanted !== painted)
        original.paint({ ...first, full: full?.own ?? first.full }, { opacity: opacity("original"), table });
      painted = wanted;
      const over = { opacity: opacity("augmented"), table };
      augmented.paint({ ...shown, tag: tagged(shown), full: full?.own ?? shown.full }, over);
      if (shown.second)
        second.paint({ ...shown.second, tag: tagged(shown.second), full: full?.second ?? shown.second.full }, over);
    },
    /** @param {string} text why nothing is shown */
    tell(text) {
      trouble.textContent = text;
    },
    /** Shows nothing: what it showed was of another image. */
    clear() {
      box.classList.add("blank");
      original.element.hidden = second.element.hidden = true;
      for (const each of screens) each.clear();
      again = () => {};
      painted = "";
    },
  };
}
