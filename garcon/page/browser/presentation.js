// Words, labels and scale of a timeline: those of garcon/executions/presentation.py, to which a test
// compares them. The colours of the classes are in page.css.

// Classes of bars, and the word for each in the legend and in tooltips.
export const LEGEND = {
  decision: "decision", waiting: "waiting", running: "running", completed: "completed",
  failed: "failed", timedout: "timed out", canceled: "cancelled",
};

// Kinds of rows that are named beside the label.
export const KINDS = { timer: "timer", child: "child workflow", lambda: "lambda" };

export const STATUS_WORDS = {
  OPEN: "open", COMPLETED: "completed", FAILED: "failed", CANCELED: "cancelled",
  TERMINATED: "terminated", CONTINUED_AS_NEW: "continued as new", TIMED_OUT: "timed out",
};

// An activity's id without the flow's name; the key of a generated activity is cut to eight letters.
export function shortLabel(label, flow) {
  const short = label.startsWith(`${flow}_`) ? label.slice(flow.length + 1) : label;
  return short.replace(/\b([0-9a-f]{8})[0-9a-f]{32}\b/g, "$1…");
}

// The same, and for a generated activity whose purpose is known that instead of the key.
export function labelOf(id, flow, purposes = {}) {
  const purpose = Object.hasOwn(purposes, id) ? purposes[id] : "";
  return purpose ? `${shortLabel(id, flow).replace(/-[0-9a-f]{8}…$/, "")} ${purpose}` : shortLabel(id, flow);
}

const RETRY = "garcon-retry-"; // as in garcon/history/reserved_timers.py

// The activity whose retry a timer delays; empty for any other timer.
export const retriedBy = (timerId) => (timerId.startsWith(RETRY) ? timerId.slice(RETRY.length) : "");

// The name of a row: an activity's label; a timer that delays a retry is that activity's.
export function rowName(kind, name, flow, purposes = {}) {
  const retried = kind === "timer" ? retriedBy(name) : "";
  if (retried) return `retry of ${labelOf(retried, flow, purposes)}`;
  return kind === "activity" ? labelOf(name, flow, purposes) : name;
}

const MINUTE = 60, HOUR = 3600, DAY = 86400; // seconds

// Seconds from one mark of a scale to the next; longer scales have steps of whole days.
const STEPS = [
  0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30,
  ...[1, 2, 5, 10, 15, 30].map((number) => MINUTE * number),
  ...[1, 2, 3, 6, 12].map((number) => HOUR * number),
];

// A length of time in a few characters: 0.12 s, 3 min 20 s, 2 d 4 h.
export function duration(seconds) {
  // Rounded before it is split into units, so that no minute has sixty seconds.
  if (Math.round(seconds * 100) < 1000) return `${seconds.toFixed(2)} s`;
  if (Math.round(seconds * 10) < 600) return `${seconds.toFixed(1)} s`;
  const total = Math.round(seconds);
  if (total < HOUR) return pair(total, MINUTE, "min", 1, "s");
  return total < DAY ? pair(total, HOUR, "h", MINUTE, "min") : pair(total, DAY, "d", HOUR, "h");
}

function pair(total, unit, name, part, partName) {
  const left = Math.floor((total % unit) / part);
  return `${Math.floor(total / unit)} ${name}` + (left ? ` ${left} ${partName}` : "");
}

// The round moments to mark on a scale of this length: 0 and at most so many more.
export function ticks(seconds, most) {
  const length = Math.max(seconds, 0.001);
  const step = STEPS.find((each) => each >= length / most) ?? DAY * Math.ceil(length / (most * DAY));
  return Array.from({ length: Math.trunc(length / step) + 1 }, (_, number) => number * step);
}

export function tickLabel(seconds) {
  if (!seconds) return "0";
  return seconds < MINUTE ? `${Number(seconds.toPrecision(6))} s` : duration(seconds);
}

// The numbers of events to mark, for a scale of this many events: 1, and round ones.
export function eventTicks(count, most) {
  const least = count / most, power = 10 ** Math.floor(Math.log10(Math.max(least, 1)));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= least);
  return [1, ...Array.from({ length: Math.floor(count / step) }, (_, number) => (number + 1) * step).filter((each) => each > 1)];
}
