// The changes of the console: each is a dialog that shows the command that does the same. Without
// --allow-actions the dialog shows the command only.

import { openDialog, post, quoted } from "./command_dialog.js";
import { element } from "./element.js";

const PROGRAM = ["python", "-m", "garcon"];

// name: on the button. fields: name, label, and whether it must be given. command: the words after
// the program, with the options of the target in between; see commandOf. shown: never carried out here.
const ACTIONS = {
  signal: {
    name: "Signal…", fields: [["name", "Signal", true], ["input", "Input (JSON)"]],
    words: ({ id, name, input }) => [id, name, ...(input.trim() ? [input] : [])],
  },
  cancel: { name: "Cancel…", fields: [], words: ({ id }) => [id] },
  terminate: {
    name: "Terminate…", fields: [["reason", "Reason"]], words: ({ id }) => [id],
    options: ({ reason }) => (reason ? ["--reason", reason] : []),
  },
  redrive: {
    name: "Redrive…", fields: [["from", "From activity (default: what failed)"]], words: ({ id }) => [id],
    options: ({ from }) => (from ? ["--from", from] : []),
  },
  rerun: {
    name: "Rerun here…", fields: [["activity", "Activity id, or its beginning", true]], words: ({ id }) => [id], shown: true,
    options: ({ activity }) => ["--activity", activity],
  },
  start: {
    name: "Start…", fields: [["id", "Workflow id"], ["input", "Input (JSON)"]],
    words: ({ input }) => (input.trim() ? [input] : []), options: ({ id }) => (id ? ["--id", id] : []),
  },
};

// An option's value and its name are one word, and "--" stands before the ids, because either may
// begin with a dash.
export function commandOf(action, values, target) {
  const flow = ACTIONS[action].shown && !target.includes("--flow") ? ["--flow", "MODULE"] : []; // it runs the flow's own code
  const options = [...pairs(target), ...pairs(flow), ...pairs(values.run ? ["--run-id", values.run] : []), ...pairs(ACTIONS[action].options?.(values) ?? [])];
  const words = ACTIONS[action].words(values);
  return [...PROGRAM, action, ...options, ...(words.length ? ["--", ...words] : [])].map(quoted).join(" ");
}

const pairs = (words) => Array.from({ length: words.length / 2 }, (_, number) => `${words[2 * number]}=${words[2 * number + 1]}`);

const REDRIVEN = ["FAILED", "TIMED_OUT", "TERMINATED", "CANCELED"];

export function actionBar(execution, about, changed) {
  const names = execution.status === "OPEN" ? ["signal", "cancel", "terminate"] : REDRIVEN.includes(execution.status) ? ["redrive"] : [];
  if (!about) return [];
  const subject = { id: execution.workflow_id, run: execution.run_id };
  const buttons = [...names, "rerun"].map((action) => button(action, subject, about, changed));
  return [element("div", { class: "actions" }, ...buttons)];
}

// A start needs the flow: its name and its version.
export const startButton = (about, changed) => (about.flow ? [button("start", {}, about, changed)] : []);

const button = (action, subject, about, changed) => element("button", {
  type: "button", class: action === "terminate" ? "button danger" : "button",
  on: { click: () => open(action, subject, about, changed) },
}, ACTIONS[action].name);

const NOT_ALLOWED = "This console only shows the command; with --allow-actions it also carries it out.";
const RERUN = "Run the command where the flow's code is: it runs the activity again, and sends nothing to SWF.";

function open(action, subject, about, changed) {
  const { name, fields, shown } = ACTIONS[action];
  const verb = name.replace("…", "");
  const carryOut = async (values) => {
    const answer = await post(about.token, { ...subject, ...values, action });
    if (answer.ok) changed();
    return answer;
  };
  openDialog({
    title: `${verb} ${subject.id ?? about.flow}`, verb, danger: action === "terminate",
    fields: fields.map(([field, label, required]) => [field, label, field === "input" ? "textarea" : { required: required ? "" : null }]),
    command: (values) => commandOf(action, { ...subject, ...values }, about.target),
    note: shown ? RERUN : about.token ? "" : NOT_ALLOWED,
    send: about.token && !shown ? carryOut : undefined,
  });
}
