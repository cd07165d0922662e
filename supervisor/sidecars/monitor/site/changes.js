// The changes of the pool: each is a dialog that shows the command that does the same. With
// --http-actions and the key it carries it out, too.

import { openDialog, post, quoted } from "./command_dialog.js";
import { element } from "./element.js";

const NOT_ALLOWED = "This page only shows the command; with --http-actions it also carries it out.";
const SIZE = /^([+-]?)(\d{1,6})$/;

// name: on the button. fields: besides the key. words: after the command. request: of the control
// protocol; a list or worker is given by its button.
export const CHANGES = {
  scale: {
    name: "Scale", fields: [["size", "Workers: a number, or +1, -1", { required: "", pattern: "[+\\-]?[0-9]{1,6}" }]],
    words: ({ list, size }) => [`${list}=${size}`],
    request: ({ list, size }) => {
      const [, sign, number] = SIZE.exec(size);
      return sign ? { list, by: Number(sign + number) } : { list, size: Number(number) };
    },
  },
  quiet: { name: "Quiet", words: ({ list }) => [list], request: ({ list }) => ({ list }) },
  resume: { name: "Resume", words: ({ list }) => [list], request: ({ list }) => ({ list }) },
  recycle: { name: "Recycle", words: ({ pid }) => [String(pid)], request: ({ pid }) => ({ pid }) },
  restart: { name: "Restart", words: () => [], request: () => ({}), about: "Replaces all workers by new ones, with the current code." },
  drain: { name: "Drain", words: () => [], request: () => ({}), danger: true, about: "Finishes the tasks in progress, and ends the supervisor." },
};

export function commandOf(change, values, control) {
  const words = CHANGES[change].words(values);
  return ["python", "-m", "supervisor", change, `--control=${control}`, ...(words.length ? ["--", ...words] : [])].map(quoted).join(" ");
}

// The button of a change. subject: gives what it is for, when it is pressed. about: gives the state.
export function button(change, label, subject, about) {
  const { name, danger } = CHANGES[change];
  return element("button", {
    type: "button", class: danger ? "button danger" : "button", "aria-label": `${name} ${label}`,
    on: { click: () => open(change, label, subject(), about()) },
  }, `${name}…`);
}

const KEY = "garcon-pool-key"; // for this tab, until it is closed
const keyField = (file) => ["key", `Key, from ${file}`, { type: "password", required: "", value: sessionStorage.getItem(KEY) }];

function open(change, label, subject, { control, key_file: file }) {
  const { name, fields, request, about, danger } = CHANGES[change];
  const carryOut = async ({ key, ...values }) => {
    const answer = await post(key, { v: 1, request: change, ...request({ ...subject, ...values }) });
    if (answer.ok) sessionStorage.setItem(KEY, key);
    return answer;
  };
  openDialog({
    title: `${name} ${label}`, verb: name, danger,
    fields: [...(fields ?? []), ...(file ? [keyField(file)] : [])],
    command: (values) => commandOf(change, { ...subject, ...values }, control),
    note: file ? about : [about, NOT_ALLOWED].filter(Boolean).join(" "),
    send: file ? carryOut : undefined,
  });
}
