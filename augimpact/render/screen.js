// One picture of the stage: a frame with its map blended over it, a tag above and a caption below.
import { element } from "./dom.js";
import { colour, opacityTable } from "./overlay.js";

/**
 * @param {string} name for screen readers
 */
export function screen(name) {
  const canvas = element("canvas", { width: 1, height: 1, role: "img", "aria-label": name });
  const tag = element("span.tag");
  const prediction = element("b");
  const value = element("span");
  const box = element("div.screen", {}, canvas, tag, element("div.caption", {}, prediction, value));
  const overlay = document.createElement("canvas");
  let pixels = null;

  return {
    element: box,
    /**
     * @param {{bitmap: ImageBitmap, map: any, full: number, tag: string, prediction: string, value: string}} shown
     * @param {{opacity: number, table: Uint8Array}} look
     */
    paint(shown, look) {
      const { width, height } = shown.bitmap;
      if (!pixels || pixels.width !== width || pixels.height !== height) {
        canvas.width = overlay.width = width;
        canvas.height = overlay.height = height;
        box.style.aspectRatio = `${width} / ${height}`;
        pixels = new ImageData(width, height);
      }
      const pen = canvas.getContext("2d");
      pen.drawImage(shown.bitmap, 0, 0);
      if (look.opacity > 0) {
        colour(shown.map, shown.full, look.table, opacityTable(look.opacity), pixels);
        overlay.getContext("2d").putImageData(pixels, 0, 0);
        pen.drawImage(overlay, 0, 0);
      }
      tag.textContent = tag.title = shown.tag;
      prediction.textContent = prediction.title = shown.prediction;
      value.textContent = shown.value;
      canvas.setAttribute("aria-label", `${name}: ${shown.tag}, ${shown.prediction} ${shown.value}`);
    },
    /** Shows nothing. */
    clear() {
      canvas.getContext("2d").clearRect(0, 0, canvas.width, canvas.height);
      for (const each of [tag, prediction]) each.textContent = each.title = "";
      value.textContent = "";
      canvas.setAttribute("aria-label", name);
    },
  };
}
