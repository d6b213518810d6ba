// Totals of chosen files: <form data-selection> with checkboxes data-size="bytes", one data-select-all, one <output>.
const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

function formatSize(bytes) {
  let value = bytes, unit = 0;
  while (value >= 1023.5 && unit < UNITS.length - 1) { value /= 1024; unit += 1; }
  const digits = unit === 0 ? 0 : value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

function update(form) {
  const boxes = [...form.querySelectorAll("input[data-size]:enabled")];
  const chosen = boxes.filter((box) => box.checked);
  const total = chosen.reduce((sum, box) => sum + Number(box.dataset.size), 0);
  form.querySelector("output").textContent = chosen.length
    ? `${chosen.length} of ${boxes.length} chosen, ${formatSize(total)}`
    : "Nothing chosen";
  const all = form.querySelector("[data-select-all]");
  all.checked = chosen.length === boxes.length;
  all.indeterminate = chosen.length > 0 && !all.checked;
}

for (const form of document.querySelectorAll("form[data-selection]")) {
  const all = form.querySelector("[data-select-all]");
  all.closest("[hidden]")?.removeAttribute("hidden");
  form.addEventListener("change", (event) => {
    if (event.target === all) for (const box of form.querySelectorAll("input[data-size]:enabled")) box.checked = all.checked;
    update(form);
  });
  update(form);
}
