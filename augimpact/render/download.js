// Handing bytes to a person as a file of the browser's own making.

/** @param {string} name @param {string} type @param {DataView} content */
export function download(name, type, content) {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  // The browser reads the address after the click returns.
  window.setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
