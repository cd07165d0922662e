// The page: a list of executions, and one of them in detail. Asks again every so often while it is
// seen; draws only what has changed. The chosen execution is in the address, as #its-run-id.

import { element, duration, clock, moment } from "./element.js";
import { attributes, tell } from "./story.js";
import { makeScale, timeline } from "./timeline.js";

const REST = 1500; // ms between two looks: quick enough to watch, and no load
const LEGEND = ["decision", "waiting", "running", "completed", "failed", "timedout", "canceled"];
const WORDS = { decision: "deciding", timedout: "timed out" };

const at = (id) => document.getElementById(id);
const seen = { state: null, text: "", shown: "", scale: "", history: {}, list: {} };

async function look() {
  try {
    const response = await fetch("/api/state");
    const text = await response.text();
    if (text !== seen.text) Object.assign(seen, { text, state: JSON.parse(text) });
    await draw();
  } catch (error) {
    at("facts").textContent = `The service does not answer: ${error.message}`;
  }
}

async function draw() {
  if (!seen.state) return;
  drawFacts(seen.state);
  drawExecutions(seen.state.executions);
  drawLists(seen.state.lists);
  await drawExecution();
}

function drawFacts({ now, virtual, executions, remembered, counters, faults }) {
  const open = executions.filter((each) => each.status === "OPEN").length;
  const told = [`${open} open`, `${executions.length - open} closed`, `${counters.calls} calls`];
  if (remembered > executions.length) told.unshift(`the latest ${executions.length} of ${remembered} executions`);
  if (counters.ghosts) told.push(`${counters.ghosts} tasks lost to pollers that had gone`);
  if (faults.length) told.push(`${faults.length} faults ordered`);
  at("facts").textContent = told.join(" · ");
  at("clock").textContent = `${moment(now)}${virtual ? " (virtual)" : ""}`;
}

function drawExecutions(executions) {
  const words = at("filter").value.toLowerCase();
  const wanted = executions.filter((each) =>
    `${each.workflow_id} ${each.type_name} ${each.status} ${each.domain}`.toLowerCase().includes(words));
  at("executions").replaceChildren(...wanted.map(listed));
}

function listed(each) {
  const lasted = duration((each.closed_at ?? seen.state.now) - each.started_at);
  const link = element("a", { href: `#${encodeURIComponent(each.run_id)}`, "aria-current": each.run_id === chosen() ? "true" : null },
    element("strong", {}, each.workflow_id), pill(each.status),
    element("small", {}, `${each.type_name} ${each.type_version} · ${each.domain}`),
    element("small", { class: "right" }, `${clock(each.started_at)} · ${lasted}`));
  return element("li", {}, link);
}

const pill = (status) => element("span", { class: `pill ${status}` }, status.toLowerCase().replaceAll("_", " "));

function drawLists(lists) {
  const rows = lists.map((each) => element("div", {},
    element("span", {}, `${each.name} `, element("small", {}, each.kind)),
    element("small", {}, `${each.backlog} waiting · ${each.pollers.length} polling`)));
  at("lists").replaceChildren(...(rows.length ? [element("h3", {}, "Task lists"), ...rows] : []));
}

const chosen = () => decodeURIComponent(location.hash.slice(1));

async function drawExecution() {
  const execution = seen.state.executions.find((each) => each.run_id === chosen());
  const now = execution && execution.status === "OPEN" ? Math.round(seen.state.now) : "";
  const what = JSON.stringify([chosen(), execution?.events, execution?.status, seen.scale, now, seen.state.executions.length > 0]);
  if (what === seen.shown) return;
  const history = chosen() && await historyOf(chosen(), execution);
  if (history) show(history);
  else at("execution").replaceChildren(invitation());
  seen.shown = what;
}

// Asked for only when something was added to it; none if the execution is unknown.
async function historyOf(run, execution) {
  const version = JSON.stringify([run, execution?.events, execution?.status]);
  if (seen.history.version !== version) {
    const response = await fetch(`/api/history?run=${encodeURIComponent(run)}`);
    seen.history = { version, told: response.ok ? await response.json() : null };
  }
  return seen.history.told;
}

// What grows with the time is drawn anew, the events only once: there may be 25,000.
function show({ execution, events }) {
  const top = element("div", {}, ...summary(execution, events));
  const list = eventList(execution.run_id, events);
  if (at("execution").lastChild === list) at("execution").firstChild.replaceWith(top);
  else at("execution").replaceChildren(top, list);
}

function invitation() {
  if (chosen()) return element("p", { class: "empty" }, "This execution is not known here.");
  if (seen.state.executions.length) return element("p", { class: "empty" }, "Choose an execution to see its history.");
  return element("div", { class: "empty" }, element("p", {}, "No execution yet. Start one, and it appears here."),
    element("code", {}, `export AWS_ENDPOINT_URL_SWF=${location.origin}`));
}

function summary(execution, events) {
  const end = execution.closed_at ?? Math.max(seen.state.now, events.at(-1).eventTimestamp);
  const by = seen.scale || (end - events[0].eventTimestamp < 0.001 ? "events" : "time");
  return [title(execution, end), ...closing(events), timelineCard(events, end, by)];
}

function title(execution, end) {
  return element("div", { class: "title" },
    element("h2", {}, execution.workflow_id), pill(execution.status),
    element("span", {}, `${execution.type_name} ${execution.type_version}`),
    element("small", {}, `${execution.domain} · began ${moment(execution.started_at)} · ${duration(end - execution.started_at)} · ${execution.events} events · run ${execution.run_id}`));
}

// Why an execution failed is what most look for, so it stands on top.
function closing(events) {
  const last = events.at(-1);
  const { reason, details } = attributes(last);
  if (!/^WorkflowExecution(Failed|Terminated)$/.test(last.eventType) || !(reason || details)) return [];
  return [element("section", { class: "card note", "aria-label": "Why" },
    ...(reason ? [element("strong", {}, reason)] : []), ...(details ? [element("pre", {}, details)] : []))];
}

function timelineCard(events, end, by) {
  const buttons = ["time", "events"].map((each) =>
    element("button", { type: "button", "aria-pressed": String(each === by), on: { click: () => choose(each) } }, `by ${each}`));
  const legend = LEGEND.map((each) => element("span", { class: each }, element("i"), WORDS[each] ?? each));
  return element("section", { class: "card", "aria-label": "Timeline" },
    element("div", { class: "head" }, element("h3", {}, "Timeline"), element("div", { class: "switch" }, ...buttons)),
    timeline(tell(events), makeScale(events, end, by)),
    element("div", { class: "legend" }, ...legend));
}

function choose(scale) {
  seen.scale = scale;
  drawExecution();
}

function eventList(run_id, events) {
  const run = `${run_id} ${events[0].eventTimestamp}`; // a server begun again by its seed repeats ids
  if (seen.list.run !== run) {
    const section = element("section", { class: "card events", "aria-label": "Events" }, element("h3", {}, "Events"));
    seen.list = { run, section, drawn: 0 };
  }
  const subjects = new Map(events.map((event) => [event.eventId, attributes(event).activityId ?? attributes(event).id]));
  const rows = events.slice(seen.list.drawn).map((event) => eventRow(event, events[0].eventTimestamp, subjects));
  seen.list.section.append(...rows);
  seen.list.drawn = events.length;
  return seen.list.section;
}

function eventRow(event, first, subjects) {
  return element("details", {},
    element("summary", {},
      element("span", {}, event.eventId), element("span", {}, `+${duration(event.eventTimestamp - first)}`),
      element("span", {}, event.eventType), element("span", {}, gist(attributes(event), subjects))),
    element("pre", {}, JSON.stringify(readable(attributes(event)), null, 2)));
}

// Of what an event says, what tells it from its neighbours; beginning with whom it is about.
function gist(told, subjects) {
  const names = ["activityId", "timerId", "workflowId", "signalName", "markerName", "id", "timeoutType", "cause", "reason", "identity", "result", "details", "input"];
  const about = [subjects.get(told.scheduledEventId), told.workflowExecution?.workflowId];
  return [...about, ...names.map((name) => told[name])].filter(Boolean).join(" · ");
}

// Inputs and results are mostly JSON; shown as such they can be read.
function readable(told) {
  return Object.fromEntries(Object.entries(told).map(([name, value]) => {
    try {
      return [name, typeof value === "string" && /^[[{]/.test(value) ? JSON.parse(value) : value];
    } catch {
      return [name, value];
    }
  }));
}

async function watch() {
  if (!document.hidden) await look();
  setTimeout(watch, REST);
}

addEventListener("hashchange", draw);
at("filter").addEventListener("input", draw);
watch();
