// The pool, live. All text of the pool becomes text nodes, never markup.

import { button } from "./changes.js";
import { clock, element, moment } from "./element.js";
import { shortLabel } from "./presentation.js";

const find = (id) => document.getElementById(id);

let state = null; // the latest one

function duration(seconds) {
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

function bar(share, kind) {
  const width = `${Math.round(100 * Math.min(1, share))}%`;
  return element("span", { class: `bar ${kind}` }, element("i", { style: { width } }));
}

const cell = (content) => element("td", {}, content ?? "");
const name = (text, kind = "", title = text) => element("td", { class: `name ${kind}`, title }, text);

// A row for each item. One that was there stays, and so do its buttons: a row that is made anew each
// second would lose the focus of the keyboard, and a press that lasts.
function fill(table, items, keyOf, cellsOf, buttonsOf) {
  const body = table.tBodies[0];
  const kept = new Map([...body.rows].map((row) => [row.dataset.key, row]));
  const rows = items.map((item) => {
    const key = keyOf(item);
    const row = kept.get(key) ?? element("tr", { "data-key": key }, element("td", { class: "buttons" }, ...buttonsOf(item)));
    while (row.cells.length > 1) row.cells[0].remove();
    row.lastChild.before(...cellsOf(item));
    [...row.cells].forEach((each, column) => { each.dataset.heading = table.tHead.rows[0].cells[column].textContent; });
    return row;
  });
  if (rows.length !== body.rows.length || rows.some((row, number) => row !== body.rows[number])) body.replaceChildren(...rows);
}

const about = () => state;

function listCells(list) {
  const load = element("span", {}, bar(list.ready ? list.working / list.ready : 0, "busy"), `${list.working} of ${list.ready} busy`);
  const desired = list.quiet ? "quiet" : list.scale ? `${list.desired} (${list.scale})` : list.desired;
  return [name(list.task_list.name), cell(load), cell(String(desired)), cell(list.leaving || ""), cell(list.pending)];
}

function listButtons(list) {
  const subject = { list: list.task_list.name };
  return ["scale", list.quiet ? "resume" : "quiet"].map((change) => button(change, subject.list, () => subject, about));
}

function age(worker) {
  if (!worker.task) return element("span", { class: "dim" }, duration(worker.seconds));
  const limit = worker.task.timeout;
  const share = limit ? worker.seconds / limit : 0;
  const text = limit ? `${duration(worker.seconds)} of ${duration(limit)}` : duration(worker.seconds);
  return element("span", {}, bar(share, share > 0.8 ? "late" : ""), text);
}

const taskName = (task, label) => `${task.activity_id ? label(task.activity_id) : "a decision"} of ${task.workflow_id}`;

// Those of a list together and in the order of their slots, so that a replacement stands where the
// worker stood; then those with a job of their own.
function bySlot(first, second) {
  const place = ({ slot }) => (slot ? [slot.task_list.name, slot.index] : ["\uffff", 0]);
  const [list, index] = place(first), [other, next] = place(second);
  return list === other ? index - next || first.worker - second.worker : list < other ? -1 : 1;
}

function workerCells(worker) {
  const slot = worker.slot ? slotName(worker.slot) : "-";
  const task = worker.task ? taskName(worker.task, (id) => shortLabel(id, state.flow)) : worker.stage;
  const memory = worker.memory_unique ? `${Math.round(worker.memory_unique / 2 ** 20)} MiB` : "";
  const deaths = element("td", { title: worker.last_death }, worker.deaths || "");
  const title = worker.task ? taskName(worker.task, (id) => id) : "";
  const what = name(worker.leaving ? `${task}, leaving` : task, worker.task ? "" : "dim", title);
  return [cell(worker.pid), name(slot), what, cell(age(worker)), cell(worker.done), cell(memory), deaths];
}

const workerButtons = (worker) =>
  worker.slot && worker.pid ? [button("recycle", `worker ${worker.pid}`, () => ({ pid: worker.pid }), about)] : [];

function noteRow(note) {
  const time = element("small", { title: moment(note.time) }, clock(note.time));
  return element("li", {}, time, element("span", { class: note.level }, note.text));
}

const slotName = (slot) => `${slot.task_list.name}/${slot.index}`;
const counted = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;

// What is not as it should be, in the words of `python -m supervisor status`.
const WHY_UNPOLLED = { external: "external, for another program", quiet: "quiet until resume", "no slots": "scaled to 0", "no worker": "its workers have died" };

function remarks(status) {
  const { deploy, unpolled_lists: unpolled, empty_slots: empty, workers } = status;
  return [
    ...(deploy?.report ? [`last deploy: ${deploy.report}`] : []),
    ...unpolled.map((list) => `${list.name}: not polled here${list.pending ? `, ${list.pending} waiting` : ""}: ${WHY_UNPOLLED[list.why]}`),
    ...empty.map((each) => `${slotName(each.slot)}: empty, filled in ${duration(each.backoff)}${each.last_death ? `; last death: ${each.last_death}` : ""}`),
    ...workers.filter((each) => each.slot && each.last_death).map((each) => `${slotName(each.slot)}: ${counted(each.deaths, "death")}; last: ${each.last_death}`),
    ...(status.stuck ? [`stuck: ${counted(status.stuck, "execution")}; see python -m garcon list --stuck`] : []),
    ...(status.handed_out ? [`handed out to other programs: ${counted(status.handed_out, "task")}`] : []),
    ...(status.pending_reports ? [`reports to SWF pending: ${counted(status.pending_reports, "task")} of dead workers`] : []),
  ];
}

function facts(status) {
  const generations = status.generations.map((each) => `generation ${each.generation} ${each.status}`);
  const deaths = Object.values(status.deaths).reduce((sum, each) => sum + each, 0);
  const found = [`supervisor ${status.pid}`, ...generations, counted(deaths, "death")];
  if (status.instance) found.push(`${status.instance.id} ${status.instance.zone}`);
  if (status.deploy?.report) found.push(`last deploy: ${status.deploy.outcome}`);
  return found.join(" · ");
}

function show(latest) {
  if (latest.error) {
    find("health").textContent = "no answer";
    find("health").className = "pill lost";
    find("problems").replaceChildren(latest.error);
    find("problems").hidden = false;
    return;
  }
  state = latest;
  const { status, problems, notes } = state;
  document.title = `${state.flow}: pool`;
  find("flow").textContent = state.flow;
  find("health").textContent = problems.length ? "unhealthy" : "healthy";
  find("health").className = `pill ${problems.length ? "unhealthy" : "healthy"}`;
  find("facts").textContent = facts(status);
  find("problems").replaceChildren(...problems.map((each) => element("div", {}, each)));
  find("problems").hidden = !problems.length;
  fill(find("lists"), status.lists, (each) => `${each.quiet} ${each.task_list.name}`, listCells, listButtons);
  fill(find("workers"), status.workers.toSorted(bySlot), (each) => `${each.worker} ${each.pid}`, workerCells, workerButtons);
  const lines = remarks(status);
  find("remarks").hidden = !lines.length;
  find("remarks").querySelector("ul").replaceChildren(...lines.map((each) => element("li", {}, each)));
  find("notes").replaceChildren(...notes.reverse().map(noteRow));
  if (!find("changes").hasChildNodes())
    find("changes").append(...["restart", "drain"].map((change) => button(change, state.flow, () => ({}), about)));
}

const LOST = { error: "The monitor does not answer: the supervisor has ended, or this page is offline." };

fetch("/api/pool")
  .then(async (answer) => show(answer.ok ? await answer.json() : { error: await answer.text() }))
  .catch(() => show(LOST));

// `?still` shows one moment, for pictures: a stream never ends.
if (!new URLSearchParams(location.search).has("still")) {
  const live = new EventSource("/api/live");
  live.onmessage = (message) => show(JSON.parse(message.data));
  live.onerror = () => show(LOST);
}
