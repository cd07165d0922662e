// One execution: why it failed or does not go on, input and result, what is pending, the timeline,
// its relations, its decisions and its events.

import { clock, element, moment, when } from "./element.js";
import { attributes, buildRows, decisions, pending } from "./history.js";
import { addressOf, close, pill, redriveOf, tagsOf } from "./items.js";
import { panel, parsed, readable } from "./payloads.js";
import { KINDS, LEGEND, duration, labelOf, rowName } from "./presentation.js";
import { makeScale, timeline } from "./timeline.js";

// A worker that starts, or is between two polls, is not missing.
const GRACE = 60;

// Rows of a timeline at first. Thousands take seconds to draw, at each look at an open execution.
const MOST_ROWS = 300;

// root: the element to draw in. options: openClaim, see payloads.js; actions, a function from an
// execution to elements; and listed, a function that gives the executions of the list.
export class ExecutionView {
  #scale = "";
  #list = {};
  #last = null;
  #whole = ""; // the run whose timeline has all rows
  #opened = new Set(); // sections that the viewer opened, so that a redraw leaves them open

  constructor(root, options = {}) {
    this.root = root;
    this.options = options;
  }

  // The upper part changes with the time and is drawn again; events are drawn once: there may be 25,000.
  draw(history, now) {
    const isOther = this.#last?.[0].execution.run_id !== history.execution.run_id;
    this.#last = [history, now];
    const top = element("div", {}, ...this.#summary(history, now));
    const list = this.#eventList(history, buildRows([history.events[0]], history.purposes));
    const focused = this.root.contains(document.activeElement) ? document.activeElement.textContent : null;
    if (this.root.lastChild === list) this.root.firstChild.replaceWith(top);
    else this.root.replaceChildren(top, list);
    [...top.querySelectorAll("button, summary")].find((each) => each.textContent === focused)?.focus();
    if (!isOther) return;
    this.root.scrollTop = 0;
    scrollTo(0, 0); // on a telephone the whole page scrolls
  }

  // Whether the run is shown.
  shows(run_id) {
    return this.#last?.[0].execution.run_id === run_id;
  }

  // Whether the run is shown and closed, so that it need not be read again.
  isClosed(run_id) {
    return this.shows(run_id) && this.#last[0].execution.status !== "OPEN";
  }

  hint(...children) {
    this.#last = null;
    this.root.replaceChildren(back(), ...children);
  }

  #summary(history, now) {
    const { execution, events, stuck } = history;
    const end = execution.closed_at ?? Math.max(now, events.at(-1).eventTimestamp);
    const rows = buildRows(events, history.purposes);
    return [
      back(), title(execution, end, history.decided_by), ...(this.options.actions?.(execution) ?? []),
      ...(stuck ? [note("Stuck", stuck)] : []), ...reasonCard(events),
      this.#panels(history), ...pendingCard(rows, events, now), this.#timelineCard(rows, events, end, execution.run_id),
      ...relationsCard(execution, events, this.options.listed?.() ?? []), ...this.#decisionCard(events, rows),
    ];
  }

  #panels({ execution, events, exposed }) {
    const first = attributes(events[0]), last = attributes(events.at(-1)), { openClaim } = this.options;
    const panels = [panel("Input", first.input || "none", { openClaim })];
    // The last event of an open execution may be the result of an activity.
    if (execution.status !== "OPEN" && last.result) panels.push(panel("Result", last.result, { openClaim }));
    if (exposed) panels.unshift(panel("State", JSON.stringify(exposed)));
    return element("div", { class: "panels" }, ...panels);
  }

  #timelineCard(rows, events, end, run) {
    const shownRows = this.#whole === run ? [...rows.rows.values()] : latest([...rows.rows.values()]);
    const left = rows.rows.size - shownRows.length;
    const by = this.#scale || (end - events[0].eventTimestamp < 0.001 ? "events" : "time");
    const buttons = ["time", "events"].map((scale) =>
      element("button", { type: "button", "aria-pressed": String(scale === by), on: { click: () => this.#setScale(scale) } }, `by ${scale}`));
    const legend = Object.entries(LEGEND).map(([outcome, word]) => element("span", { class: outcome }, element("i"), word));
    return element("section", { class: "card", "aria-label": "Timeline" },
      element("div", { class: "head" }, element("h3", {}, "Timeline"), element("div", { class: "switch" }, ...buttons)),
      ...(left ? [button(`The latest ${shownRows.length} of ${rows.rows.size} rows. Show all`, () => this.#showAll(run))] : []),
      timeline(rows, shownRows, makeScale(events, end, by)),
      element("div", { class: "legend" }, ...legend));
  }

  #showAll(run) {
    this.#whole = run;
    this.draw(...this.#last);
  }

  #setScale(scale) {
    this.#scale = scale;
    if (this.#last) this.draw(...this.#last);
  }

  #decisionCard(events, rows) {
    const made = decisions(events);
    const first = events[0].eventTimestamp;
    const lines = made.map(({ event, results }) => element("div", { class: "decided" },
      element("span", {}, event.eventId), element("span", {}, `+${duration(event.eventTimestamp - first)}`),
      element("span", {}, results.map((each) => decided(each, rows)).join(", ") || "nothing: it waits")));
    return [this.#folded("decisions", `Decisions (${made.length})`, lines)];
  }

  // A section that is drawn closed at first.
  #folded(name, heading, children) {
    const section = element("details", { class: "card folded", open: this.#opened.has(name) ? "" : null },
      element("summary", {}, element("h3", {}, heading)), ...children);
    section.addEventListener("toggle", () => this.#opened[section.open ? "add" : "delete"](name));
    return section;
  }

  #eventList({ execution, events }, { flow, purposes }) {
    const run = `${execution.run_id} ${events[0].eventTimestamp}`; // a server restarted with its seed repeats run ids
    if (this.#list.run !== run) {
      const section = element("section", { class: "card events", "aria-label": "Events" }, element("h3", {}, "Events"));
      this.#list = { run, section, drawn: 0 };
    }
    const list = this.#list;
    const subjects = new Map(events.map((event) => [event.eventId, attributes(event)])
      .map(([id, { activityId, id: lambda }]) => [id, activityId ? labelOf(activityId, flow, purposes) : lambda]));
    list.section.append(...events.slice(list.drawn).map((event) => eventRow(event, events[0].eventTimestamp, subjects)));
    list.drawn = events.length;
    return list.section;
  }
}

// The decisions, and the latest of the others: what waits from earlier on is among the pending.
const latest = (rows) => (rows.length > MOST_ROWS ? [rows[0], ...rows.slice(1 - MOST_ROWS)] : rows);

const button = (text, click) => element("button", { type: "button", class: "button", on: { click } }, text);

const back = () => element("button", { type: "button", class: "back", on: { click: close } }, "← Executions");

function title(execution, end, decidedBy) {
  const open = duration(end - execution.started_at);
  const named = tagsOf(execution), tags = named ? ` · tags ${named}` : "";
  const cancel = execution.cancel_requested && !execution.closed_at ? " · asked to cancel" : "";
  return element("div", { class: "title" },
    element("h2", {}, execution.workflow_id), pill(execution.status),
    element("span", {}, `${execution.type_name} ${execution.type_version}`),
    element("small", {}, `${execution.domain} · began ${moment(execution.started_at)} · ${open} · ${execution.events} events${tags}${cancel}${decidedBy ? ` · ${decidedBy}` : ""} · run ${execution.run_id}`));
}

const note = (heading, text, details) => element("section", { class: "card note", "aria-label": heading },
  ...(text ? [element("strong", {}, text)] : []), ...(details ? [element("pre", {}, details)] : []));

// The reason of a failure comes first: most readers look for it.
function reasonCard(events) {
  const last = events.at(-1), { reason, details, timeoutType, cause } = attributes(last);
  if (!/^WorkflowExecution(Failed|Terminated|TimedOut|Canceled)$/.test(last.eventType)) return [];
  const text = reason || (timeoutType ? `timed out: ${timeoutType}` : cause);
  return text || details ? [note("Reason", text, details)] : [];
}

function pendingCard(rows, events, now) {
  const waiting = pending(rows);
  if (!waiting.length || rows.closed) return [];
  return [element("section", { class: "card", "aria-label": "Pending" }, element("h3", {}, "Pending"),
    ...waiting.map((each) => pendingLine(each, rows, now)))];
}

function pendingLine({ row, bar, attempt, fires, retries }, rows, now) {
  const name = retries ? labelOf(retries, rows.flow, rows.purposes) : nameOf(row, rows);
  const [state, bad] = fires ? [firing(fires, attempt, retries, now), false] : working(row, bar, attempt, now);
  const list = attributes(bar.scheduled).taskList?.name;
  return element("div", { class: "pending" }, element("b", {}, name),
    element("span", { class: bad ? "bad" : null }, state),
    element("small", {}, [list ? `list ${list}` : "", bar.identity ? `by ${bar.identity}` : ""].filter(Boolean).join(" · ")));
}

function firing(fires, attempt, retries, now) {
  const due = `at ${when(fires, now)} (in ${duration(Math.max(fires - now, 0))})`;
  return retries ? `attempt ${attempt ?? "?"} ${due}` : `fires ${due}`;
}

function working(row, bar, attempt, now) {
  const since = (bar.started ?? bar.scheduled).eventTimestamp, long = duration(now - since);
  const which = row.kind === "activity" ? `attempt ${attempt}, ` : "";
  if (bar.started) return [`${which}running for ${long}`, false];
  return [`${which}waiting for a worker for ${long}`, now - since > GRACE];
}

const nameOf = (row, rows) =>
  `${row.kind === "activity" ? "" : `${KINDS[row.kind] ?? row.kind} `}${rowName(row.kind, row.name, rows.flow, rows.purposes)}`;

// Parent, children, and the runs before and after this one; a redrive of it only if it is listed.
function relationsCard(execution, events, listed) {
  const first = attributes(events[0]), last = attributes(events.at(-1));
  const same = (run_id) => ({ run_id, workflow_id: execution.workflow_id });
  const links = [];
  if (execution.parent) links.push(["parent", { workflow_id: execution.parent[0], run_id: execution.parent[1] }]);
  if (first.continuedExecutionRunId) links.push(["continued from", same(first.continuedExecutionRunId)]);
  if (last.newExecutionRunId) links.push(["continued as", same(last.newExecutionRunId)]);
  const before = redriveOf(first.tagList), after = listed.find(({ tags }) => redriveOf(tags) === execution.run_id);
  if (before) links.push(["redrive of", same(before)]);
  if (after) links.push(["redriven as", after]);
  for (const event of events) {
    if (event.eventType !== "ChildWorkflowExecutionStarted") continue;
    const { workflowId, runId } = attributes(event).workflowExecution;
    links.push(["child", { workflow_id: workflowId, run_id: runId }]);
  }
  if (!links.length) return [];
  return [element("section", { class: "card", "aria-label": "Related executions" }, element("h3", {}, "Related executions"),
    ...links.map(([word, to]) => element("div", { class: "pending" }, element("span", {}, word),
      element("a", { href: addressOf(to) }, to.workflow_id), element("small", {}, `run ${to.run_id}`))))];
}

// What one event of a decision did, in a few words.
function decided(event, rows) {
  const a = attributes(event);
  const subject = a.activityId ? labelOf(a.activityId, rows.flow, rows.purposes)
    : a.timerId ? rowName("timer", a.timerId, rows.flow, rows.purposes) : a.workflowId ?? a.signalName ?? a.markerName ?? a.id ?? "";
  const words = event.eventType.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
  return `${words}${subject ? ` ${subject}` : ""}`;
}

function eventRow(event, first, subjects) {
  const row = element("details", {},
    element("summary", {},
      element("span", {}, event.eventId), element("span", { title: clock(event.eventTimestamp) }, `+${duration(event.eventTimestamp - first)}`),
      element("span", {}, event.eventType), element("span", {}, gist(event, subjects))));
  row.addEventListener("toggle", () => row.append(element("pre", {}, readable(parseValues(attributes(event))))), { once: true });
  return row;
}

const GIST = ["timerId", "workflowId", "signalName", "markerName", "id", "timeoutType", "cause", "reason", "identity", "result", "details", "input"];
const LONGEST = 300; // characters of a gist; the line is cut by its width much earlier

// The members that distinguish an event from its neighbours, its subject first.
function gist(event, subjects) {
  const members = attributes(event);
  const subject = [subjects.get(members.scheduledEventId) ?? subjects.get(event.eventId), members.workflowExecution?.workflowId];
  return [...subject, ...GIST.map((name) => members[name])].filter(Boolean).join(" · ").slice(0, LONGEST);
}

const parseValues = (members) => Object.fromEntries(Object.entries(members).map(([name, value]) => [name, parsed(value)]));
