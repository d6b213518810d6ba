// Says what changed after htmx swapped a part of the page: the swapped part carries data-announce="42 datasets".
const announcer = document.getElementById("announcer");

export function announce(text) {
  announcer.textContent = "";
  requestAnimationFrame(() => { announcer.textContent = text; });
}

document.addEventListener("faircat:announce", (event) => announce(event.detail));

document.addEventListener("htmx:afterSettle", (event) => {
  const swapped = event.detail.elt;
  const source = swapped.matches("[data-announce]") ? swapped : swapped.querySelector("[data-announce]");
  if (source) announce(source.dataset.announce);
});

for (const name of ["htmx:responseError", "htmx:sendError", "htmx:timeout"]) {
  document.addEventListener(name, () => announce("The page could not be updated. Try again, or reload it."));
}
