// What a history tells, as rows of bars: one row for the decisions, one for each activity id, timer,
// child and lambda function, and marks for what happens in a moment. Knows nothing of the page.
//
// A bar: {row, begun, started, ended, outcome, who, why}; begun, started and ended are events.
// Outcomes: waiting, running, completed, failed, timedout, canceled.

export const attributes = (event) =>
  event[event.eventType[0].toLowerCase() + event.eventType.slice(1) + "EventAttributes"] ?? {};

export function tell(events) {
  const story = new Story();
  story.row("decision", "decisions");
  for (const event of events) {
    const part = PARTS[event.eventType];
    if (part) part(story, event, attributes(event));
  }
  return story;
}

class Story {
  rows = new Map();
  #open = new Map();

  row(kind, name, more = "") {
    const key = `${kind} ${name}`;
    if (!this.rows.has(key)) this.rows.set(key, { kind, name, more, bars: [], marks: [] });
    return this.rows.get(key);
  }

  begin(row, event) {
    const bar = { kind: row.kind, begun: event, outcome: "waiting" };
    row.bars.push(bar);
    this.#open.set(event.eventId, bar);
    return bar;
  }

  start(id, event, who) {
    const bar = this.#open.get(id);
    if (bar) Object.assign(bar, { started: event, outcome: "running", who });
  }

  end(id, event, outcome, why) {
    const bar = this.#open.get(id);
    if (bar) Object.assign(bar, { ended: event, outcome, why });
  }

  mark(event, text, tone) {
    this.row("events", "signals, markers, refusals").marks.push({ event, text, tone });
  }
}

const ENDINGS = { Completed: "completed", Failed: "failed", TimedOut: "timedout", Canceled: "canceled", Terminated: "canceled" };
const why = (a) => [a.timeoutType, a.cause, a.reason, a.details, a.result].filter(Boolean).join(": ");

const PARTS = {
  DecisionTaskScheduled: (s, e) => s.begin(s.row("decision", "decisions"), e),
  DecisionTaskStarted: (s, e, a) => s.start(a.scheduledEventId, e, a.identity),
  ActivityTaskScheduled: (s, e, a) => s.begin(s.row("activity", a.activityId, a.activityType.name), e),
  ActivityTaskStarted: (s, e, a) => s.start(a.scheduledEventId, e, a.identity),
  LambdaFunctionScheduled: (s, e, a) => s.begin(s.row("lambda", a.id, a.name), e),
  LambdaFunctionStarted: (s, e, a) => s.start(a.scheduledEventId, e),
  StartLambdaFunctionFailed: (s, e, a) => s.end(a.scheduledEventId, e, "failed", why(a)),
  TimerStarted: (s, e, a) => {
    s.begin(s.row("timer", a.timerId, `${a.startToFireTimeout} s`), e);
    s.start(e.eventId, e);
  },
  TimerFired: (s, e, a) => s.end(a.startedEventId, e, "completed"),
  TimerCanceled: (s, e, a) => s.end(a.startedEventId, e, "canceled"),
  StartChildWorkflowExecutionInitiated: (s, e, a) => s.begin(s.row("child", a.workflowId, a.workflowType.name), e),
  StartChildWorkflowExecutionFailed: (s, e, a) => s.end(a.initiatedEventId, e, "failed", why(a)),
  ChildWorkflowExecutionStarted: (s, e, a) => s.start(a.initiatedEventId, e),
  WorkflowExecutionSignaled: (s, e, a) => s.mark(e, `signal ${a.signalName}`, "running"),
  WorkflowExecutionCancelRequested: (s, e) => s.mark(e, "cancel requested", "timedout"),
  ActivityTaskCancelRequested: (s, e, a) => s.mark(e, `cancel of ${a.activityId} requested`, "timedout"),
  MarkerRecorded: (s, e, a) => s.mark(e, `marker ${a.markerName}`, "canceled"),
};
for (const [word, outcome] of Object.entries(ENDINGS)) {
  for (const task of ["DecisionTask", "ActivityTask", "LambdaFunction"]) {
    PARTS[task + word] = (s, e, a) => s.end(a.scheduledEventId, e, outcome, why(a));
  }
  PARTS[`ChildWorkflowExecution${word}`] = (s, e, a) => s.end(a.initiatedEventId, e, outcome, why(a));
}
for (const refused of ["ScheduleActivityTask", "StartTimer", "CancelTimer", "RequestCancelActivityTask", "RecordMarker",
  "ScheduleLambdaFunction", "CompleteWorkflowExecution", "FailWorkflowExecution", "CancelWorkflowExecution",
  "ContinueAsNewWorkflowExecution", "SignalExternalWorkflowExecution", "RequestCancelExternalWorkflowExecution"]) {
  PARTS[`${refused}Failed`] = (s, e, a) => s.mark(e, `${refused} refused: ${a.cause}`, "failed");
}
