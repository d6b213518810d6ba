// Around each swap of a part of the page by htmx: groups that were opened stay open, and the announcer says what changed.
// The swapped part carries data-announce="42 datasets".
const announcer = document.getElementById("announcer");
let opened = new Map();

function announce(text) {
  announcer.textContent = "";
  requestAnimationFrame(() => { announcer.textContent = text; });
}

document.addEventListener("faircat:announce", (event) => announce(event.detail));

document.addEventListener("htmx:beforeSwap", (event) => {
  opened = new Map([...event.detail.target.querySelectorAll("details[id]")].map((group) => [group.id, group.open]));
});

document.addEventListener("htmx:afterSettle", (event) => {
  for (const [id, open] of opened) {
    const group = document.getElementById(id);
    if (group) group.open = open;
  }
  opened.clear();
  const swapped = event.detail.elt;
  const source = swapped.matches("[data-announce]") ? swapped : swapped.querySelector("[data-announce]");
  if (source) announce(source.dataset.announce);
});

for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, () => announce("The page could not be updated. Try again, or reload it."));
}
