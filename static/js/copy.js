// Copy buttons: data-copy="text" or data-copy-from="id of an element". They stay hidden where copying cannot work.
function enable(root) {
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll("button[data-copy], button[data-copy-from]")) button.hidden = false;
}

async function copy(button) {
  const source = document.getElementById(button.dataset.copyFrom);
  const text = button.dataset.copy ?? source.textContent.trim();
  let outcome = "Copied";
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    outcome = "Copying was refused by the browser";
  }
  document.dispatchEvent(new CustomEvent("faircat:announce", { detail: outcome }));
  const label = button.dataset.label ??= button.textContent;
  button.textContent = outcome;
  setTimeout(() => { button.textContent = label; }, 2000);
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-copy], button[data-copy-from]");
  if (button) copy(button);
});
document.addEventListener("htmx:load", (event) => enable(event.detail.elt));
enable(document);
