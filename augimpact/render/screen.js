// One picture of the stage: a frame with its map blended over it, a tag above and a caption below.
import { element } from "./dom.js";
import { colour } from "./overlay.js";

/**
 * @param {string} name for screen readers
 */
export function screen(name) {
  const canvas = element("canvas", { width: 1, height: 1, role: "img", "aria-label": name });
  const tag = element("span.tag");
  const prediction = element("b");
  const score = element("span");
  const box = element("div.screen", {}, canvas, tag, element("div.caption", {}, prediction, score));
  const overlay = document.createElement("canvas");
  let pixels = null;

  return {
    element: box,
    /**
     * @param {{bitmap: ImageBitmap, map: Float32Array, height: number, width: number, full: number,
     *          tag: string, prediction: string, score: number}} shown
     * @param {{opacity: number, table: Uint8Array}} look
     */
    paint(shown, look) {
      const side = shown.bitmap.width;
      if (canvas.width !== side || !pixels) {
        canvas.width = canvas.height = overlay.width = overlay.height = side;
        pixels = new ImageData(side, side);
      }
      colour(shown.map, shown.height, shown.width, shown.full, look.table, side, pixels.data);
      overlay.getContext("2d").putImageData(pixels, 0, 0);
      const pen = canvas.getContext("2d");
      pen.globalAlpha = 1;
      pen.drawImage(shown.bitmap, 0, 0);
      pen.globalAlpha = look.opacity;
      pen.drawImage(overlay, 0, 0);
      tag.textContent = shown.tag;
      prediction.textContent = shown.prediction;
      score.textContent = shown.score.toFixed(2);
      canvas.setAttribute("aria-label", `${name}: ${shown.tag}, ${shown.prediction} ${shown.score.toFixed(2)}`);
    },
  };
}
