// The dialog of a change: its fields, the command that does the same, and a button if the page may
// carry it out.

import { answerOf } from "./answers.js";
import { element } from "./element.js";

// The text of a shell's word.
export const quoted = (word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

// title: above the fields. verb: on the button. danger: whether it is red. fields: name, label, and
// the attributes of the input, or "textarea" for a long one. command: the command for the values of
// the fields. note: stands below the command. send: carries the change out, gives {ok, text}; absent
// if this page may not.
export function openDialog({ title, verb, danger, fields, command, note, send }) {
  const inputs = fields.map(([name, label, attributes]) => [name, label, attributes === "textarea"
    ? element("textarea", { name, rows: "3", autocomplete: "off" })
    : element("input", { name, autocomplete: "off", ...attributes })]);
  const shown = element("pre", { class: "command", tabindex: "0" });
  const outcome = element("p", { role: "status" }, note ?? "");
  const kind = danger ? "button danger" : "button";
  const submit = element("button", { type: "submit", class: kind }, verb);
  const close = element("button", { type: "button", class: "button" }, "Close");
  const form = element("form", {},
    element("h3", {}, title),
    ...inputs.map(([, label, input]) => element("label", {}, label, input)),
    element("small", {}, "The command that does the same:"), shown, outcome,
    element("div", { class: "actions" }, close, ...(send ? [submit] : [])));
  const values = () => Object.fromEntries(inputs.map(([name, , input]) => [name, input.value]));
  const redraw = () => { shown.textContent = command(values()); };
  const dialog = element("dialog", { "aria-label": title }, form);
  form.addEventListener("input", redraw);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!send) return;
    submit.disabled = true;
    const { ok, text } = await send(values());
    outcome.textContent = text;
    outcome.className = ok ? "" : "bad";
    submit.disabled = ok; // once is enough; a refused one may be corrected
  });
  close.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  redraw();
  dialog.showModal();
}

// The outcome of a change that a server of this page is asked for; see ``openDialog``.
export async function post(token, members) {
  try {
    const response = await fetch("/api/actions", {
      method: "POST", headers: { "x-garcon-token": token, "content-type": "application/json" },
      body: JSON.stringify(members),
    });
    const answer = await answerOf(response);
    return { ok: response.ok, status: response.status, text: answer.done ?? answer.error };
  } catch (error) {
    return { ok: false, text: `No answer from the server of this page: ${error.message}` };
  }
}
