// Forms that save themselves (data-autosave): a button waits for a save under way, so that nobody meets their own changes
// as those of somebody else.
let saving = 0;
let waiting = null;

document.addEventListener("htmx:beforeSend", (event) => {
  if (event.detail.elt.matches("[data-autosave]")) saving += 1;
});

document.addEventListener("htmx:afterSettle", release);
document.addEventListener("htmx:sendError", release);
document.addEventListener("htmx:responseError", release);
document.addEventListener("htmx:timeout", release);

function release() {
  saving = 0;
  if (!waiting) return;
  const { form, button } = waiting;
  waiting = null;
  form.requestSubmit(button);
}

document.addEventListener("submit", (event) => {
  if (!saving || !event.target.matches("[data-autosave]")) return;
  event.preventDefault();
  waiting = { form: event.target, button: event.submitter };
});
