// Draws a story: time to the right, or events, where much happens in no time (virtual time does that).

import { element, duration } from "./element.js";

const TICKS = 5;
const SAID = new Set(["timer", "child", "lambda"]); // kinds that a row says beside its name

export function timeline(story, scale) {
  const grid = element("div", { class: "timeline" }, element("div"), axis(scale));
  for (const row of story.rows.values()) grid.append(label(row), track(row, scale));
  return grid;
}

// by: "time" or "events". Places are percent of the width.
export function makeScale(events, now, by) {
  const first = events[0].eventTimestamp;
  const total = Math.max(now - first, 1e-3);
  const place = by === "time"
    ? (event) => ((event ? event.eventTimestamp - first : total) / total) * 100
    : (event) => ((event ? event.eventId - 1 : events.length) / events.length) * 100;
  return { by, place, total, count: events.length };
}

function axis(scale) {
  const ticks = Array.from({ length: TICKS }, (_, number) => {
    const share = number / (TICKS - 1);
    const text = scale.by === "time" ? duration(share * scale.total) : `#${Math.round(share * (scale.count - 1)) + 1}`;
    return element("span", { class: "tick", style: { left: `${share * 100}%` } }, text);
  });
  return element("div", { class: "track axis" }, ...ticks);
}

function label(row) {
  const tries = row.kind === "activity" && row.bars.length > 1 ? `${row.bars.length} tries` : "";
  const kind = SAID.has(row.kind) ? row.kind : "";
  const more = [tries, kind, row.name.startsWith(row.more) ? "" : row.more].filter(Boolean).join(" · ");
  return element("div", { class: "label", title: `${row.name}\n${row.more}` },
    element("b", {}, row.name), element("small", {}, more));
}

function track(row, scale) {
  return element("div", { class: "track" },
    ...row.bars.map((each) => bar(each, scale)), ...row.marks.map((each) => mark(each, scale)));
}

function bar(each, scale) {
  const from = scale.place(each.begun), to = scale.place(each.ended);
  const work = each.started ? scale.place(each.started) : to;
  const wait = to > from ? ((work - from) / (to - from)) * 100 : 0;
  const style = { left: `${Math.min(from, 99.4)}%`, width: `${to - from}%` };
  return element("div", { class: `bar ${each.kind} ${each.outcome}`, style, title: tooltip(each) },
    element("span", { class: "wait", style: { width: `${wait}%` } }),
    each.started || each.ended ? element("span", { class: "work" }, element("span", {}, words(each))) : "");
}

// What a bar says on itself, where there is room: what went wrong, else who did it.
function words(each) {
  if (each.outcome === "failed" || each.outcome === "timedout") return each.why;
  return each.kind === "activity" ? each.who ?? "" : "";
}

function tooltip(each) {
  const seconds = (from, to) => duration(to.eventTimestamp - from.eventTimestamp);
  return [
    each.outcome,
    each.started && each.started !== each.begun ? `waited ${seconds(each.begun, each.started)}` : "",
    each.started && each.ended ? `took ${seconds(each.started, each.ended)}` : "",
    each.who ? `by ${each.who}` : "",
    each.why ?? "",
  ].filter(Boolean).join("\n");
}

function mark(each, scale) {
  return element("div", { class: `mark ${each.tone}`, title: each.text, style: { left: `${scale.place(each.event)}%` } });
}
