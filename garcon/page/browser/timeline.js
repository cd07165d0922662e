// The timeline of a history. The scale is time, or the number of the event where most events happen
// in one instant, as in virtual time.

import { element } from "./element.js";
import { KINDS, LEGEND, duration, eventTicks, rowName, tickLabel, ticks } from "./presentation.js";

const TICKS = 5; // marks of the scale beside the first
const LAST = 0.95; // share of the width from which a mark's text stands to its left

// rows: those of the history to draw.
export function timeline(history, rows, scale) {
  const grid = element("div", { class: "timeline" }, element("div"), axis(scale));
  for (const row of rows) grid.append(rowLabel(row, history), track(row, scale));
  return grid;
}

// by: "time" or "events". Places are percent of the width; without an event the place is the end.
export function makeScale(events, now, by) {
  const first = events[0].eventTimestamp;
  const total = Math.max(now - first, 1e-3);
  const place = by === "time"
    ? (event) => ((event ? event.eventTimestamp - first : total) / total) * 100
    : (event) => ((event ? event.eventId - 1 : events.length) / events.length) * 100;
  return { by, place, total, count: events.length };
}

function axis(scale) {
  const marks = scale.by === "time"
    ? ticks(scale.total, TICKS).map((seconds) => [seconds / scale.total, tickLabel(seconds)])
    : eventTicks(scale.count, TICKS).map((number) => [(number - 1) / scale.count, `#${number}`]);
  return element("div", { class: "track axis" }, ...marks.map(([share, text]) =>
    element("span", { class: share > LAST ? "tick last" : "tick", style: { left: `${share * 100}%` } }, text)));
}

function rowLabel(row, { flow, purposes }) {
  const attempts = row.kind === "activity" && row.bars.length > 1 ? `${row.bars.length} attempts` : "";
  const kind = KINDS[row.kind] ?? "";
  const more = [attempts, kind, row.name.startsWith(row.more) ? "" : row.more].filter(Boolean).join(" · ");
  return element("div", { class: "label", title: `${row.name}\n${row.more}` },
    element("b", {}, rowName(row.kind, row.name, flow, purposes)), element("small", {}, more));
}

function track(row, scale) {
  return element("div", { class: "track" },
    ...row.bars.map((bar) => drawBar(bar, scale)), ...row.marks.map((mark) => drawMark(mark, scale)));
}

function drawBar(bar, scale) {
  const from = scale.place(bar.scheduled), to = scale.place(bar.ended);
  const start = bar.started ? scale.place(bar.started) : to;
  const wait = to > from ? ((start - from) / (to - from)) * 100 : 0;
  const style = { left: `min(${from}%, 100% - 4px)`, width: `${to - from}%` }; // 4 px is the shortest bar
  return element("div", { class: `bar ${bar.kind} ${bar.outcome}`, style, title: tooltip(bar) },
    element("span", { class: "wait", style: { width: `${wait}%` } }),
    bar.started || bar.ended ? element("span", { class: "work" }, element("span", {}, barText(bar))) : "");
}

// The text on a bar that has room: the reason of a failure, else the worker.
function barText(bar) {
  if (bar.outcome === "failed" || bar.outcome === "timedout") return bar.reason;
  return bar.kind === "activity" ? bar.identity ?? "" : "";
}

function tooltip(bar) {
  const between = (from, to) => duration(to.eventTimestamp - from.eventTimestamp);
  return [
    bar.word ?? LEGEND[bar.outcome],
    bar.started && bar.started !== bar.scheduled ? `waited ${between(bar.scheduled, bar.started)}` : "",
    bar.started && bar.ended ? `took ${between(bar.started, bar.ended)}` : "",
    bar.identity ? `by ${bar.identity}` : "",
    bar.reason ?? "",
  ].filter(Boolean).join("\n");
}

function drawMark(mark, scale) {
  return element("div", { class: `mark ${mark.outcome}`, title: mark.text, style: { left: `${scale.place(mark.event)}%` } });
}
