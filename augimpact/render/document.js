// A page of its own: the player mounted on data that the page carries, and the table of frames that goes along with it.
import { copyText } from "./copying.js";
import { embedded } from "./embedded.js";
import { mountPlayer } from "./player.js";

const page = document.querySelector(".own-page");
const { payload, colourMaps, look, reference } = embedded(page.querySelector("#data").textContent);
const box = page.querySelector(".table-box");
const rows = [...box.querySelectorAll("tbody tr")];
let current = null;

const player = mountPlayer(page.querySelector("#player"), { colourMaps, look, shown: mark });
page.querySelector("#player noscript")?.remove();
rows.forEach((row, frame) => row.addEventListener("click", () => player.scrub(frame)));
for (const button of page.querySelectorAll("[data-copy]")) button.addEventListener("click", () => copy(button));
player.setReference(reference);
await player.setTrace(payload, () => 0, () => false);
page.dataset.ready = "true";

/** Marks the row of a frame and brings it into view inside its box: the page itself stays where it is. */
function mark(frame) {
  const row = rows[frame];
  if (row === current) return;
  current?.removeAttribute("aria-current");
  current = row;
  row.setAttribute("aria-current", "true");
  const head = box.querySelector("thead").offsetHeight;
  const above = row.offsetTop - head;
  const below = row.offsetTop + row.offsetHeight - box.clientHeight;
  if (box.scrollTop > above) box.scrollTop = above;
  else if (box.scrollTop < below) box.scrollTop = below;
}

function copy(button) {
  const source = page.querySelector(button.dataset.copy);
  return copyText(source.textContent, button, () => {
    source.closest("details").open = true;
    window.getSelection().selectAllChildren(source);
  });
}
