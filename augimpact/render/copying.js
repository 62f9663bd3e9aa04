// Copying a text: to the clipboard, or where the browser keeps that closed, by selecting it for the person.

const TOLD = 2000;

/**
 * @param {string} text
 * @param {HTMLElement} button tells for a moment what became of it
 * @param {() => void} select shows the text selected, where the clipboard is closed
 */
export async function copyText(text, button, select) {
  button.dataset.label ??= button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    select();
    button.textContent = "Selected";
  }
  window.setTimeout(() => (button.textContent = button.dataset.label), TOLD);
}
