// Dragging over a histogram (svg with data-low and data-high, the ids of its two inputs) chooses a range. The inputs do the same.
let drag = null;

function barAt(svg, x) {
  const bars = [...svg.querySelectorAll("g")], box = svg.getBoundingClientRect();
  const place = Math.floor(((x - box.left) / box.width) * bars.length);
  return Math.max(0, Math.min(bars.length - 1, place));
}

function draw() {
  const [low, high] = [Math.min(drag.from, drag.to), Math.max(drag.from, drag.to)];
  drag.bars.forEach((bar, place) => bar.classList.toggle("out", place < low || place > high));
  return [low, high];
}

document.addEventListener("pointerdown", (event) => {
  const svg = event.target.closest?.("svg[data-low]");
  if (!svg || event.button !== 0) return;
  const place = barAt(svg, event.clientX);
  drag = { svg, bars: [...svg.querySelectorAll("g")], from: place, to: place };
  svg.setPointerCapture(event.pointerId);
  draw();
});

document.addEventListener("pointermove", (event) => {
  if (!drag) return;
  drag.to = barAt(drag.svg, event.clientX);
  draw();
});

document.addEventListener("pointercancel", () => { drag = null; });

document.addEventListener("pointerup", () => {
  if (!drag) return;
  const [low, high] = draw();
  const { svg, bars } = drag;
  drag = null;
  const inputs = [svg.dataset.low, svg.dataset.high].map((id) => document.getElementById(id));
  inputs[0].value = bars[low].dataset.from;
  inputs[1].value = bars[high].dataset.to;
  inputs[1].dispatchEvent(new Event("change", { bubbles: true }));
});
