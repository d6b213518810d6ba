// Deep zoom: replaces the static picture of [data-viewer] by OpenSeadragon, with our own controls and a live scale bar.
// data-source: an image or a .dzi address; data-width: metres on the sample across the whole picture, when known.
const PREFIXES = [[1, "m"], [1e-3, "mm"], [1e-6, "µm"], [1e-9, "nm"], [1e-12, "pm"]];

function inWords(metres) {
  const [factor, unit] = PREFIXES.find(([each]) => metres >= each * 0.9999) ?? PREFIXES.at(-1);
  return `${Number((metres / factor).toPrecision(3))} ${unit}`;
}

function roundLength(metres) {
  const power = 10 ** Math.floor(Math.log10(metres));
  return power * [5, 2, 1].find((step) => step * power <= metres * 1.0001);
}

function followScale(viewer, bar, width) {
  const draw = () => {
    const image = viewer.world.getItemAt(0);
    if (!image) return;
    const pixelSize = width / image.getContentSize().x;
    const metresPerScreenPixel = pixelSize / image.viewportToImageZoom(viewer.viewport.getZoom(true));
    const length = roundLength(metresPerScreenPixel * Math.min(180, viewer.container.clientWidth / 3));
    bar.style.width = `${length / metresPerScreenPixel}px`;
    bar.textContent = inWords(length);
    bar.hidden = false;
  };
  for (const name of ["open", "animation", "resize"]) viewer.addHandler(name, draw);
}

function start(frame) {
  const picture = frame.querySelector("img");
  const canvas = document.createElement("div");
  canvas.className = "canvas";
  const { source } = frame.dataset;
  const viewer = OpenSeadragon({
    element: canvas,
    tileSources: source.endsWith(".dzi") ? source : { type: "image", url: source },
    showNavigationControl: false,
    maxZoomPixelRatio: 8,
    animationTime: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 0.6,
    gestureSettingsMouse: { scrollToZoom: false, clickToZoom: false, dblClickToZoom: true },
  });
  viewer.addOnceHandler("open", () => { picture.hidden = true; });
  viewer.addOnceHandler("open-failed", () => { canvas.remove(); picture.hidden = false; });
  viewer.canvas.setAttribute("role", "group");
  viewer.canvas.setAttribute("aria-label", picture.alt);
  canvas.style.aspectRatio = `${picture.naturalWidth || 4} / ${picture.naturalHeight || 3}`;
  frame.prepend(canvas);

  const actions = {
    in: () => viewer.viewport.zoomBy(1.5),
    out: () => viewer.viewport.zoomBy(1 / 1.5),
    whole: () => viewer.viewport.goHome(),
    actual: () => viewer.viewport.zoomTo(viewer.viewport.imageToViewportZoom(1)),
    full: () => frame.requestFullscreen?.(),
  };
  const controls = document.getElementById(frame.dataset.controls);
  controls.hidden = false;
  controls.addEventListener("click", (event) => {
    const action = actions[event.target.closest("button")?.dataset.zoom];
    if (!action) return;
    action();
    viewer.viewport.applyConstraints();
  });
  const width = Number(frame.dataset.width);
  if (width > 0) followScale(viewer, frame.querySelector(".scalebar"), width);
}

// OpenSeadragon adds a style element of its own unless it finds one; the content policy would refuse it. This one styles nothing.
const placeholder = document.createElementNS("urn:none", "style");
placeholder.setAttribute("data-openseadragon-mobile-css", "");
document.head.append(placeholder);

for (const frame of document.querySelectorAll("[data-viewer]")) start(frame);
