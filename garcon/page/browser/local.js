// The page of the local SWF: a list of executions, and the details of the selected one, whose run id is in the address
// after the "#". It polls the service while it is visible, and redraws only what has changed.

import { element, moment } from "./element.js";
import { ExecutionView } from "./execution.js";
import { drawList, listItem, listenToKeys, selected, showTurn, taskLists } from "./items.js";
import { STATUS_WORDS } from "./presentation.js";

const PERIOD = 1500; // ms between two requests: quick enough to watch, and no load

const byId = (id) => document.getElementById(id);

// The latest state of the service, and what is drawn of it.
const view = { state: null, text: "", drawn: "", history: {} };
const shown = new ExecutionView(byId("execution"), { listed: () => view.state.executions });

async function update() {
  try {
    const response = await fetch("/api/state");
    const text = await response.text();
    if (text !== view.text) Object.assign(view, { text, state: JSON.parse(text) });
    await draw();
    byId("facts").classList.remove("bad");
  } catch (error) {
    byId("facts").textContent = `No answer from the local SWF: ${error.message}. Is it still running?`;
    byId("facts").classList.add("bad");
  }
}

async function draw() {
  showTurn();
  if (!view.state) return;
  drawFacts(view.state);
  drawExecutions(view.state.executions);
  drawLists(view.state.lists);
  await drawExecution();
}

function drawFacts({ now, virtual, executions, remembered, counters, faults }) {
  const open = executions.filter((execution) => execution.status === "OPEN").length;
  const facts = [`${open} open`, `${executions.length - open} closed`, `${counters.calls} calls`];
  if (remembered > executions.length) facts.unshift(`latest ${executions.length} of ${remembered} executions`);
  if (counters.ghosts) facts.push(`${counters.ghosts} tasks lost to ghost pollers`);
  if (faults.length) facts.push(`${faults.length} injected faults`);
  byId("facts").textContent = facts.join(" · ");
  byId("clock").textContent = `${moment(now)}${virtual ? " (virtual)" : ""}`;
}

function drawExecutions(executions) {
  const filter = byId("filter").value.toLowerCase();
  const matching = executions.filter(({ workflow_id, type_name, status, domain }) =>
    `${workflow_id} ${type_name} ${STATUS_WORDS[status]} ${domain}`.toLowerCase().includes(filter));
  drawList(byId("executions"), matching.map((each) => listItem(each, view.state.now)));
}

function drawLists(lists) {
  const shownLists = lists.map((list) => ({ ...list, bad: isUnserved(list), note: isUnserved(list) ? "no workers" : `${list.pollers.length} polling` }));
  byId("lists").replaceChildren(...taskLists(shownLists));
}

// A worker that starts, or is between two polls, is not missing.
const GRACE = 5;
const isUnserved = ({ unserved_since: since }) => since !== null && view.state.now - since > GRACE;

async function drawExecution() {
  const { run_id } = selected();
  const execution = view.state.executions.find((each) => each.run_id === run_id);
  const now = execution?.status === "OPEN" ? Math.round(view.state.now) : "";
  const version = JSON.stringify([run_id, execution?.events, execution?.status, now, view.state.executions.length > 0]);
  if (version === view.drawn) return;
  const history = run_id && await fetchHistory(run_id, execution);
  if (history) shown.draw(history, view.state.now);
  else shown.hint(hint());
  view.drawn = version;
}

// Fetched only after a change; null for an unknown execution.
async function fetchHistory(run, execution) {
  const version = JSON.stringify([run, execution?.events, execution?.status]);
  if (view.history.version !== version) {
    const response = await fetch(`/api/history?run=${encodeURIComponent(run)}`);
    view.history = { version, content: response.ok ? await response.json() : null };
  }
  return view.history.content;
}

function hint() {
  if (selected().run_id) return element("p", { class: "empty" }, "This execution does not exist, or its retention period is over.");
  if (view.state.executions.length) return element("p", { class: "empty" }, "Select an execution to see its history.");
  return element("div", { class: "empty" }, element("p", {}, "No executions yet. Point a client at this service and start one:"),
    element("code", {}, `export AWS_ENDPOINT_URL_SWF=${location.origin}`));
}

async function poll() {
  if (!document.hidden) await update();
  setTimeout(poll, PERIOD);
}

addEventListener("hashchange", draw);
listenToKeys(byId("executions"), byId("filter"));
byId("filter").addEventListener("input", draw);
poll();
