// Around each swap of a part of the page by htmx: groups and sheets that were opened stay open, and the announcer says what
// changed. The swapped part carries data-announce="42 datasets".
const announcer = document.getElementById("announcer");
let opened = new Map();
let sheets = [];
let focused = "";

function announce(text) {
  announcer.textContent = "";
  requestAnimationFrame(() => { announcer.textContent = text; });
}

document.addEventListener("faircat:announce", (event) => announce(event.detail));

document.addEventListener("htmx:beforeSwap", (event) => {
  const { target } = event.detail;
  opened = new Map([...target.querySelectorAll("details[id]")].map((group) => [group.id, group.open]));
  sheets = [...target.querySelectorAll("[popover][id]")].filter((sheet) => sheet.matches(":popover-open")).map((sheet) => sheet.id);
  focused = sheets.length ? document.activeElement?.id ?? "" : "";
});

document.addEventListener("htmx:afterSettle", (event) => {
  for (const [id, open] of opened) {
    const group = document.getElementById(id);
    if (group) group.open = open;
  }
  opened.clear();
  for (const id of sheets) document.getElementById(id)?.showPopover();
  if (focused) document.getElementById(focused)?.focus();
  sheets = [];
  focused = "";
  const swapped = event.detail.elt;
  const source = swapped.matches("[data-announce]") ? swapped : swapped.querySelector("[data-announce]");
  if (source) announce(source.dataset.announce);
});

for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, () => announce("The page could not be updated. Try again, or reload it."));
}
