// A photograph on its way to the kernel: so small that no front end refuses the message.
import { element } from "../render/dom.js";

// Voilà and Jupyter refuse messages over some 10 MB.
const LARGEST_UPLOAD = 4_000_000;
const LARGEST_AREA = 6_000_000;
// How the files begin that the kernel takes and browsers read: JPEG, PNG, WebP, GIF, BMP. A name may say what it likes.
const TAKEN = [/^\xff\xd8\xff/, /^\x89PNG/, /^RIFF[^]{4}WEBP/, /^GIF8/, /^BM/];
const BEGINNING = 12;

/** Whether the kernel takes a file as it is. @param {File} file */
async function isTaken(file) {
  const bytes = new Uint8Array(await file.slice(0, BEGINNING).arrayBuffer());
  const begins = String.fromCharCode(...bytes);
  return TAKEN.some((kind) => kind.test(begins));
}

/**
 * The file's bytes; of a large photograph, or one of a kind that only the browser reads, those of a JPEG. What the browser
 * cannot read goes as it is, for the kernel to judge, unless it is too large for that.
 * @param {File} file
 * @param {number} pixels that the kernel takes
 * @returns {Promise<ArrayBuffer|null>} rejected where the file itself cannot be read
 */
export async function scaledDown(file, pixels) {
  const taken = await isTaken(file);
  let bitmap;
  try {
    bitmap = await createImageBitmap(file);
  } catch {
    return file.size <= LARGEST_UPLOAD ? file.arrayBuffer() : null;
  }
  const area = bitmap.width * bitmap.height;
  if (file.size <= LARGEST_UPLOAD && area <= pixels && taken) {
    bitmap.close();
    return file.arrayBuffer();
  }
  const scale = Math.min(1, Math.sqrt(Math.min(LARGEST_AREA, pixels) / area));
  const canvas = element("canvas", {
    width: Math.max(1, Math.floor(bitmap.width * scale)), height: Math.max(1, Math.floor(bitmap.height * scale)),
  });
  const pen = canvas.getContext("2d");
  pen.fillStyle = "#fff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  bitmap.close();
  const smaller = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.92));
  return smaller?.arrayBuffer() ?? null;
}
