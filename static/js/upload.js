// Uploads file by file (form[data-upload]): several at a time, each with its progress, tried again after a broken connection.
// All files belong to one upload on the site; what has arrived stays there. The form works without this.
const AT_ONCE = 3;
const ATTEMPTS = 4;
let busy = false;

addEventListener("beforeunload", (event) => { if (busy) event.preventDefault(); });

function announce(text) {
  document.dispatchEvent(new CustomEvent("faircat:announce", { detail: text }));
}

function send(form, files, submission, onProgress) {
  const body = new FormData();
  body.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
  if (submission) body.append("submission", submission);
  for (const file of files) body.append("files", file, file.name);
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.responseType = "json";
    request.upload.onprogress = (event) => onProgress(event.loaded / Math.max(event.total, 1));
    request.onload = () => resolve({ status: request.status, answer: request.response ?? {} });
    request.onerror = request.ontimeout = () => resolve({ status: 0, answer: {} });
    request.send(body);
  });
}

async function sendPatiently(form, files, state, onProgress) {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
    const { status, answer } = await send(form, files, state.uid, onProgress);
    if (status === 200) return answer;
    // What is refused stays refused; a broken connection or a busy site may mend.
    if (status >= 400 && status < 500 && status !== 429) throw new Error(answer.detail ?? "It was refused.");
    await new Promise((done) => setTimeout(done, 1000 * 2 ** attempt));
  }
  throw new Error("It did not arrive; the connection was broken several times.");
}

// An image goes together with the text that a microscope wrote beside it; other files go alone.
function grouped(files) {
  const isText = (file) => /\.(txt|hdr)$/i.test(file.name);
  const stem = (file) => file.name.replace(/\.[^.]*$/, "").toLowerCase();
  const texts = new Map(files.filter(isText).map((file) => [stem(file), file]));
  const groups = files.filter((file) => !isText(file)).map((file) => {
    const text = texts.get(stem(file));
    texts.delete(stem(file));
    return text ? [file, text] : [file];
  });
  return [...groups, ...[...texts.values()].map((file) => [file])];
}

function rowOf(list, file) {
  const row = list.appendChild(document.createElement("li"));
  const bar = document.createElement("progress");
  const name = document.createElement("span");
  const note = document.createElement("span");
  bar.max = 1;
  bar.value = 0;
  bar.setAttribute("aria-label", file.name);
  name.textContent = file.name;
  note.className = "small";
  row.append(bar, " ", name, " ", note);
  return { row, bar, note };
}

async function worker(form, queue, state) {
  while (queue.length && !state.stopped) {
    const { group, shown } = queue.shift();
    try {
      const answer = await sendPatiently(form, group, state, (share) => { shown.bar.value = share; });
      state.uid ??= answer.uid;
      state.url = answer.url;
      shown.row.remove();
      state.arrived += group.length;
    } catch (error) {
      shown.note.textContent = error.message;
      shown.note.classList.add("errors");
      state.failed.push(...group);
      if (!state.uid) state.stopped = true;
    }
    state.tell();
  }
}

async function upload(form, files) {
  const place = form.querySelector("[data-progress]");
  const line = document.createElement("p");
  const list = document.createElement("ul");
  list.className = "plain small uploading";
  place.replaceChildren(line, list);
  place.hidden = false;
  const state = { uid: form.dataset.uid, failed: [], arrived: 0 };
  state.tell = () => { line.textContent = `${state.arrived} of ${files.length} files sent${state.failed.length ? `, ${state.failed.length} not` : ""}.`; };
  state.tell();
  const queue = grouped(files).map((group) => ({ group, shown: rowOf(list, group[0]) }));
  busy = true;
  // The first one makes the upload to which the others belong.
  await worker(form, queue.splice(0, 1), state);
  await Promise.all(Array.from({ length: AT_ONCE }, () => worker(form, queue, state)));
  busy = false;
  if (state.uid && !state.failed.length) return location.assign(state.url);
  announce(line.textContent);
  finish(form, place, state, [...state.failed, ...queue.flatMap((one) => one.group)]);
}

function finish(form, place, state, left) {
  const again = document.createElement("button");
  again.type = "button";
  again.textContent = `Send the other ${left.length} again`;
  again.addEventListener("click", () => upload(form, left));
  const actions = document.createElement("p");
  actions.className = "row";
  actions.append(again);
  if (state.uid) {
    form.dataset.uid = state.uid;
    const link = document.createElement("a");
    link.href = state.url;
    link.textContent = "See what has arrived";
    actions.append(link);
  }
  place.append(actions);
}

function refuse(form, text) {
  const place = form.querySelector("[data-progress]");
  const line = document.createElement("p");
  line.className = "errors";
  line.textContent = text;
  place.replaceChildren(line);
  place.hidden = false;
  announce(text);
}

for (const form of document.querySelectorAll("form[data-upload]")) {
  const input = form.querySelector("input[type=file]");
  form.querySelector("[data-drop]").hidden = false;
  form.addEventListener("submit", (event) => {
    const files = [...input.files];
    const most = Number(form.dataset.most);
    event.preventDefault();
    if (busy || !files.length) return;
    if (files.length > most) return refuse(form, `${files.length} files are chosen, and one upload has at most ${most}. Choose fewer; nothing was sent.`);
    const large = files.find((file) => file.size > Number(form.dataset.mib) * 2 ** 20);
    if (large) return refuse(form, `${large.name} is larger than ${form.dataset.mib} MiB. Leave it out or make it smaller; nothing was sent.`);
    delete form.dataset.uid;
    upload(form, files);
  });
  for (const name of ["dragenter", "dragover"]) form.addEventListener(name, (event) => { event.preventDefault(); form.classList.add("over"); });
  for (const name of ["dragleave", "drop"]) form.addEventListener(name, () => form.classList.remove("over"));
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    if (!event.dataTransfer.files.length || busy) return;
    input.files = event.dataTransfer.files;
    form.requestSubmit();
  });
}
