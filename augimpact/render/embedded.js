// Data that a page carries inside: JSON in which `{"base64": …}` stands for bytes.

/**
 * @param {string} text
 * @returns {any} with a DataView for all that was bytes
 */
export function embedded(text) {
  return JSON.parse(text, (_key, value) => (typeof value?.base64 === "string" ? view(value.base64) : value));
}

/** @param {string} base64 */
function view(base64) {
  const letters = atob(base64);
  const content = new Uint8Array(letters.length);
  for (let index = 0; index < letters.length; index++) content[index] = letters.charCodeAt(index);
  return new DataView(content.buffer);
}
