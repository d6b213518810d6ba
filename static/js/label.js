// Labelling without reloading: the buttons of form[data-opinion] in a grid, and keys: arrows, "a" to agree, digits for the
// categories listed in [data-keys]. Every button is an ordinary one of a form without this.
const keys = document.querySelector("[data-keys]");
const labels = [...(keys?.querySelectorAll("[data-label]") ?? [])].map((one) => one.textContent);
if (keys) keys.hidden = false;

function announce(text) {
  document.dispatchEvent(new CustomEvent("faircat:announce", { detail: text }));
}

async function say(form, label) {
  const body = new FormData(form);
  body.delete("other");
  body.set("category", label);
  const shot = form.closest("[data-shot]");
  const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
  const said = await answer.json();
  if (!answer.ok) return announce(said.detail ?? "It could not be saved.");
  if (!shot) return location.reload();
  shot.querySelector("[data-said]").textContent = said.label;
  shot.querySelector("[data-by]").textContent = said.agrees ? "confirmed by a person" : "says a person";
  shot.querySelector("[data-agree]").disabled = said.agrees;
  shot.classList.add("labelled");
  const details = shot.querySelector("details");
  if (details) details.open = false;
  announce(`${shot.querySelector("[data-open]").textContent}: ${said.label}`);
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("[data-shot] form[data-opinion]")) return;
  event.preventDefault();
  const label = form.elements.other.value.trim() || event.submitter?.value;
  form.elements.other.value = "";
  if (label) say(form, label);
});

function isTyping(target) {
  return ["TEXTAREA", "SELECT"].includes(target.tagName) || (target.tagName === "INPUT" && target.type !== "checkbox");
}

function move(shots, place, key) {
  const columns = shots.filter((shot) => shot.offsetTop === shots[0].offsetTop).length || 1;
  const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns }[key];
  const next = shots[place < 0 ? 0 : Math.max(0, Math.min(shots.length - 1, place + step))];
  next.querySelector("[data-open]").focus();
  next.scrollIntoView({ block: "nearest" });
}

function labelOf(key, form) {
  if (key === "a") return form.querySelector("[data-agree]")?.value ?? form.querySelector("button[name=category]")?.value;
  return /^[0-9]$/.test(key) ? labels[(Number(key) + 9) % 10] : undefined;
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
  const shots = [...document.querySelectorAll("[data-shots] [data-shot]")];
  const shot = event.target.closest?.("[data-shot]");
  if (event.key.startsWith("Arrow") && shots.length && (shot || document.activeElement === document.body)) {
    event.preventDefault();
    return move(shots, shots.indexOf(shot), event.key);
  }
  const form = shot ? shot.querySelector("form[data-opinion]") : shots.length ? null : document.querySelector("form[data-opinion]");
  const label = keys && form && labelOf(event.key, form);
  if (!label) return;
  event.preventDefault();
  say(form, label);
});

const all = document.getElementById("choose-all");
if (all) {
  all.closest("[data-all]").hidden = false;
  all.addEventListener("change", () => {
    for (const box of document.querySelectorAll("[data-shots] input[type=checkbox]:enabled")) box.checked = all.checked;
  });
}
