// Suggestions below a search box (data-suggest="address"): a combobox with a list of links, by the pattern of ARIA's authors.
// The box is an ordinary field of a form without this.
const WAIT = 160;
const boxes = new WeakSet();

function makeList(input) {
  const list = document.createElement("ul");
  list.id = `${input.id}-list`;
  list.className = "suggestions";
  list.hidden = true;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Suggestions");
  for (const [name, value] of Object.entries({ role: "combobox", "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": list.id })) {
    input.setAttribute(name, value);
  }
  input.parentElement.after(list);
  return list;
}

function optionOf(one, number, list) {
  const option = document.createElement("li");
  option.id = `${list.id}-${number}`;
  option.setAttribute("role", "option");
  option.dataset.url = one.url;
  for (const [part, text] of [["label", one.kind], ["what", one.text], ["num", one.count ?? ""]]) {
    const span = document.createElement("span");
    span.className = part;
    span.textContent = text;
    option.append(span);
  }
  return option;
}

function start(input) {
  if (boxes.has(input)) return;
  boxes.add(input);
  const list = makeList(input);
  let timer, request, active = -1;

  const close = () => {
    list.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const choose = (place) => {
    const options = list.children;
    options[active]?.removeAttribute("aria-selected");
    active = options.length ? (place + options.length + 1) % (options.length + 1) : -1;
    const option = options[active === options.length ? (active = -1) : active];
    if (!option) return input.removeAttribute("aria-activedescendant");
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    input.setAttribute("aria-activedescendant", option.id);
  };
  const show = (found) => {
    list.replaceChildren(...found.map((one, number) => optionOf(one, number, list)));
    active = -1;
    if (!found.length || document.activeElement !== input) return close();
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    const text = found.length === 1 ? "1 suggestion" : `${found.length} suggestions`;
    document.dispatchEvent(new CustomEvent("faircat:announce", { detail: text }));
  };
  const ask = async () => {
    request?.abort();
    request = new AbortController();
    try {
      const answer = await fetch(`${input.dataset.suggest}?q=${encodeURIComponent(input.value)}`, { signal: request.signal });
      if (answer.ok) show((await answer.json()).suggestions);
    } catch {
      // Aborted by the next key, or no network: the box works without.
    }
  };

  input.addEventListener("input", () => {
    clearTimeout(timer);
    if (input.value.trim().length < 2) { request?.abort(); close(); } else timer = setTimeout(ask, WAIT);
  });
  input.addEventListener("keydown", (event) => {
    if (list.hidden) return;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      choose(active === -1 && event.key === "ArrowUp" ? list.children.length - 1 : active + (event.key === "ArrowDown" ? 1 : -1));
    } else if (event.key === "Enter" && active >= 0) {
      event.preventDefault();
      location.assign(list.children[active].dataset.url);
    } else if (event.key === "Escape") {
      event.preventDefault();
      close();
    }
  });
  input.addEventListener("blur", () => { clearTimeout(timer); request?.abort(); close(); });
  list.addEventListener("pointerdown", (event) => {
    const option = event.target.closest("[role=option]");
    event.preventDefault();
    if (option) location.assign(option.dataset.url);
  });
}

const startAll = (root) => { for (const input of root.querySelectorAll("input[data-suggest]")) start(input); };
document.addEventListener("htmx:load", (event) => startAll(event.detail.elt));
startAll(document);
