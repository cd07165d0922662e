// The rows of a timeline, from the events of a history: one row for the decisions, one for each
// activity id, timer, child workflow and lambda function, and one of marks for instants. No DOM here.
//
// A bar: {kind, scheduled, started, ended, outcome, word, identity, reason}. The first three are
// events; the outcome is a class of LEGEND; the word is set where it differs from the legend's.

import { retriedBy, tickLabel } from "./presentation.js";

export const attributes = (event) =>
  event[event.eventType[0].toLowerCase() + event.eventType.slice(1) + "EventAttributes"] ?? {};

// purposes: what generated activities are for, by activity id.
export function buildRows(events, purposes = {}) {
  const history = new History(attributes(events[0]).workflowType?.name ?? "", purposes);
  history.row("decision", "decisions");
  for (const event of events) HANDLERS[event.eventType]?.(history, event, attributes(event));
  if (CLOSED.test(events.at(-1).eventType)) history.close(events.at(-1));
  return history;
}

// Bars that have not ended, each with the number of its attempt. A timer has the time at which it
// fires, and one that delays a retry the activity's id and the number of its next attempt.
export function pending(history) {
  const found = [];
  for (const row of history.rows.values()) {
    const bar = row.bars.at(-1);
    if (!bar || bar.ended || row.kind === "decision") continue;
    found.push({ row, bar, attempt: row.bars.length, ...(row.kind === "timer" ? timerOf(bar.scheduled) : {}) });
  }
  return found;
}

function timerOf(event) {
  const { timerId, startToFireTimeout, control } = attributes(event);
  const fires = event.eventTimestamp + Number(startToFireTimeout);
  const retries = retriedBy(timerId);
  return retries ? { fires, retries, attempt: numberIn(control) } : { fires };
}

function numberIn(control) {
  try {
    return JSON.parse(control).attempt;
  } catch {
    return undefined;
  }
}

// Completed decision tasks, each with the events that its decisions made.
export function decisions(events) {
  const made = new Map();
  for (const event of events) {
    if (event.eventType === "DecisionTaskCompleted") made.set(event.eventId, { event, results: [] });
    else made.get(attributes(event).decisionTaskCompletedEventId)?.results.push(event);
  }
  return [...made.values()];
}

const CLOSED = /^WorkflowExecution(Completed|Failed|TimedOut|Canceled|Terminated|ContinuedAsNew)$/;

class History {
  rows = new Map();
  #bars = new Map();

  closed = false;

  constructor(flow, purposes) {
    this.flow = flow;
    this.purposes = purposes;
  }

  row(kind, name, more = "") {
    const key = `${kind} ${name}`;
    if (!this.rows.has(key)) this.rows.set(key, { kind, name, more, bars: [], marks: [] });
    return this.rows.get(key);
  }

  schedule(row, event) {
    const bar = { kind: row.kind, scheduled: event, outcome: "waiting" };
    row.bars.push(bar);
    this.#bars.set(event.eventId, bar);
  }

  start(id, event, identity) {
    const bar = this.#bars.get(id);
    if (bar) Object.assign(bar, { started: event, outcome: "running", identity });
  }

  end(id, event, outcome, reason, word) {
    const bar = this.#bars.get(id);
    if (bar) Object.assign(bar, { ended: event, outcome, reason, word });
  }

  // Bars that are open at the close of the execution stay without an end.
  close(event) {
    this.closed = true;
    for (const bar of this.#bars.values()) {
      if (!bar.ended) Object.assign(bar, { ended: event, outcome: "canceled", word: "unfinished" });
    }
  }

  mark(event, text, outcome) {
    this.row("events", "signals, markers, refusals").marks.push({ event, text, outcome });
  }
}

const OUTCOMES = { Completed: "completed", Failed: "failed", TimedOut: "timedout", Canceled: "canceled", Terminated: "canceled" };
const WORDS = { Terminated: "terminated" };
const reasonOf = (a) => [a.timeoutType, a.cause, a.reason, a.details, a.result].filter(Boolean).join(": ");

// What each type of event does; the arguments are the history, the event and its attributes.
const HANDLERS = {
  DecisionTaskScheduled: (h, e) => h.schedule(h.row("decision", "decisions"), e),
  DecisionTaskStarted: (h, e, a) => h.start(a.scheduledEventId, e, a.identity),
  ActivityTaskScheduled: (h, e, a) => h.schedule(h.row("activity", a.activityId, a.activityType.name), e),
  ActivityTaskStarted: (h, e, a) => h.start(a.scheduledEventId, e, a.identity),
  LambdaFunctionScheduled: (h, e, a) => h.schedule(h.row("lambda", a.id, a.name), e),
  LambdaFunctionStarted: (h, e, a) => h.start(a.scheduledEventId, e),
  StartLambdaFunctionFailed: (h, e, a) => h.end(a.scheduledEventId, e, "failed", reasonOf(a), "refused"),
  TimerStarted: (h, e, a) => {
    h.schedule(h.row("timer", a.timerId, tickLabel(Number(a.startToFireTimeout))), e);
    h.start(e.eventId, e);
  },
  TimerFired: (h, e, a) => h.end(a.startedEventId, e, "completed"),
  TimerCanceled: (h, e, a) => h.end(a.startedEventId, e, "canceled"),
  StartChildWorkflowExecutionInitiated: (h, e, a) => h.schedule(h.row("child", a.workflowId, a.workflowType.name), e),
  StartChildWorkflowExecutionFailed: (h, e, a) => h.end(a.initiatedEventId, e, "failed", reasonOf(a), "refused"),
  ChildWorkflowExecutionStarted: (h, e, a) => h.start(a.initiatedEventId, e),
  WorkflowExecutionSignaled: (h, e, a) => h.mark(e, `signal ${a.signalName}`, "running"),
  WorkflowExecutionCancelRequested: (h, e) => h.mark(e, "cancel request", "timedout"),
  ActivityTaskCancelRequested: (h, e, a) => h.mark(e, `cancel request for ${a.activityId}`, "timedout"),
  MarkerRecorded: (h, e, a) => h.mark(e, `marker ${a.markerName}`, "canceled"),
};
for (const [ending, outcome] of Object.entries(OUTCOMES)) {
  for (const task of ["DecisionTask", "ActivityTask", "LambdaFunction"]) {
    HANDLERS[task + ending] = (h, e, a) => h.end(a.scheduledEventId, e, outcome, reasonOf(a));
  }
  HANDLERS[`ChildWorkflowExecution${ending}`] = (h, e, a) => h.end(a.initiatedEventId, e, outcome, reasonOf(a), WORDS[ending]);
}
for (const decision of ["ScheduleActivityTask", "StartTimer", "CancelTimer", "RequestCancelActivityTask", "RecordMarker",
  "ScheduleLambdaFunction", "CompleteWorkflowExecution", "FailWorkflowExecution", "CancelWorkflowExecution",
  "ContinueAsNewWorkflowExecution", "SignalExternalWorkflowExecution", "RequestCancelExternalWorkflowExecution"]) {
  HANDLERS[`${decision}Failed`] = (h, e, a) => h.mark(e, `${decision} refused: ${a.cause}`, "failed");
}
