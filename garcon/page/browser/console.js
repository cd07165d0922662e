// The console's page: a list of executions by filters, and the selected one, whose ids are in the
// address after the "#". It asks the server while it is visible, and a hidden page asks nothing.

import { actionBar, startButton } from "./actions.js";
import { answerOf } from "./answers.js";
import { element, zone } from "./element.js";
import { ExecutionView } from "./execution.js";
import { drawList, listItem, listenToKeys, selected, showTurn, taskLists } from "./items.js";
import { STATUS_WORDS, duration } from "./presentation.js";

const PERIOD = 5000; // ms between two looks: the lists of SWF lag behind by some seconds anyway
const GRACE = 60; // seconds of a long poll
const TYPING = 400; // ms without a key until the filters count

const byId = (id) => document.getElementById(id);

// query: the filters that the list is of; number: of the question, so that late answers are dropped;
// error: of the list; outdated: why the execution that is shown is not the latest.
const view = { about: null, query: null, loaded: [], next: null, count: null, now: 0, number: 0, error: "", outdated: "" };
const shown = new ExecutionView(byId("execution"), {
  openClaim: async (claim) => (await ask("claim", { claim })).text,
  actions: (execution) => actionBar(execution, view.about, drawExecution),
  listed: () => view.loaded,
});

async function ask(path, parameters) {
  const response = await fetch(`/api/${path}?${new URLSearchParams(parameters)}`);
  const answer = await answerOf(response);
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

// The filters as criteria, KEY=VALUE each, as `python -m garcon list --where` takes them.
function criteria() {
  const given = [...new FormData(byId("filters"))].filter(([name, value]) => name && value);
  const values = given.filter(([name, value]) => name !== "status" || value !== STUCK);
  return values.map(([name, value]) => ["where", `${name}=${value}`]);
}

const STUCK = "stuck"; // a status of the page's own
const wantsStuck = () => byId("filters").elements.status.value === STUCK;

async function load(after) {
  const number = ++view.number, where = criteria(), stuck = wantsStuck();
  try {
    const answer = await ask(stuck ? "stuck" : "executions", [...where, ...Object.entries(after ?? {})]);
    if (number !== view.number) return;
    const query = JSON.stringify([stuck, where]), isNew = query !== view.query;
    view.loaded = merged(isNew ? [] : after ? view.loaded : beyond(answer), answer.executions);
    if (isNew || after) view.next = answer.next;
    Object.assign(view, { query, now: answer.now, error: "" });
    drawAll();
    // Not every SWF counts (moto does not), and a list without its number is still a list.
    const count = stuck ? { count: answer.executions.length } : await ask("count", where).catch(() => null);
    if (number === view.number) Object.assign(view, { count });
  } catch (error) {
    if (number === view.number) view.error = failure(error);
  }
  drawAll();
}

const failure = (error) => error instanceof TypeError ? "No answer from the console. Is it still running?" : error.message;

// Those that were loaded after the first page. On that page an answer replaces all, so that one that
// no longer meets the filters goes.
const beyond = ({ next }) => view.loaded.filter(({ started_at }) => next && started_at <= next.started);

// The executions of both by their runs, latest start first, the newer answer's state.
function merged(known, found) {
  const runs = new Map([...known, ...found].map((each) => [each.run_id, each]));
  return [...runs.values()].sort((one, other) => other.started_at - one.started_at);
}

function drawAll() {
  const text = byId("filter").value.toLowerCase();
  const matching = view.loaded.filter((each) => textOf(each).includes(text));
  drawList(byId("executions"), matching.length ? matching.map((each) => listItem(each, view.now)) : [emptyItem()]);
  byId("more").hidden = !view.next;
  const trouble = view.error || view.outdated;
  byId("facts").textContent = trouble || facts(matching.length);
  byId("facts").classList.toggle("bad", Boolean(trouble));
}

const textOf = ({ workflow_id, run_id, type_name, type_version, status, tags }) =>
  [workflow_id, run_id, type_name, type_version, STATUS_WORDS[status], ...tags].join(" ").toLowerCase();

function emptyItem() {
  if (view.query === null) return element("li", { class: "none" }, view.error ? "The list is not known." : "Reading the list…");
  return element("li", { class: "none" }, view.loaded.length ? "None of those loaded has this text." : "No executions match.");
}

function facts(matching) {
  if (view.query === null) return "";
  const shownOnes = matching === view.loaded.length ? `${matching} shown` : `${matching} of ${view.loaded.length} loaded`;
  const { count, truncated } = view.count ?? {};
  return count === undefined || count === null ? shownOnes : `${shownOnes}, ${truncated ? "more than " : ""}${count.toLocaleString("en")} in all`;
}

async function drawExecution() {
  const wanted = selected();
  if (!shown.shows(wanted.run_id)) view.outdated = "";
  showTurn();
  drawAll();
  if (!wanted.run_id) drawDomainLists(); // not awaited: it may take seconds
  if (!wanted.run_id) return shown.hint(element("p", { class: "empty" }, "Select an execution to see its history."));
  try {
    const known = view.loaded.find(({ run_id }) => run_id === wanted.run_id);
    const id = wanted.workflow_id || known?.workflow_id || "", started = wanted.started_at || known?.started_at || "";
    const history = await ask("history", { id, run: wanted.run_id, ...(started && { started }) });
    if (selected().run_id !== wanted.run_id) return undefined;
    shown.draw(history, history.now);
    view.outdated = "";
    await drawLists(history.execution);
  } catch (error) {
    if (selected().run_id === wanted.run_id) lose(wanted.run_id, failure(error));
  }
  return undefined;
}

// A reader keeps what is drawn of the execution, though it is not the latest.
function lose(run_id, why) {
  if (!shown.shows(run_id)) return shown.hint(element("p", { class: "empty" }, why));
  view.outdated = why;
  return drawAll();
}

async function drawLists({ status, workflow_id, run_id }) {
  try {
    const { lists, now } = status === "OPEN" ? await ask("lists", { id: workflow_id, run: run_id }) : { lists: [] };
    if (selected().run_id === run_id) fillLists(run_id, judged(lists, now));
  } catch (error) {
    if (selected().run_id === run_id) fillLists(run_id, [], failure(error));
  }
}

// SWF does not show who polls a list: a task that waits for longer than a long poll shows that
// no one takes it.
const judged = (lists, now) => lists.map((list) => {
  const bad = list.since !== null && now - list.since > GRACE;
  return { ...list, bad, note: bad ? `no free worker for ${duration(now - list.since)}` : "" };
});

// Those of the domain, while no execution is selected: those in trouble first, then by what waits.
let asking = false;
async function drawDomainLists() {
  if (asking) return;
  asking = true;
  try {
    if (byId("lists").dataset.of !== DOMAIN) fillLists(DOMAIN, []);
    const { lists, known, types, now } = await ask("domain-lists", {});
    const rows = judged(lists, now).sort((one, other) => other.bad - one.bad || (other.backlog ?? 0) - (one.backlog ?? 0) || (one.name < other.name ? -1 : 1));
    if (!selected().run_id) fillLists(DOMAIN, rows, known < types ? `${known} of ${types} types read` : "");
  } catch (error) {
    if (!selected().run_id) fillLists(DOMAIN, [], failure(error));
  } finally {
    asking = false;
  }
}

const DOMAIN = "the domain";

function fillLists(of, rows, more = "") {
  byId("lists").dataset.of = of;
  byId("lists").replaceChildren(...taskLists(rows), ...(more ? [element("small", {}, more)] : []));
}

async function begin() {
  try {
    view.about = await ask("console", {});
    byId("domain").textContent = document.title = view.about.domain;
    byId("clock").textContent = `${view.about.place} · times in ${zone()}`;
    byId("clock").before(...startButton(view.about, load));
  } catch (error) {
    view.error = failure(error);
  }
  await Promise.all([load(), drawExecution()]);
  setTimeout(look, PERIOD);
}

// Stuck executions cost a call each, so they are looked for when the filter is chosen, and not again.
async function look() {
  if (!document.hidden) await Promise.all([...(wantsStuck() ? [] : [load()]), ...(isOpen() ? [drawExecution()] : [])]);
  if (!document.hidden && !selected().run_id) drawDomainLists();
  setTimeout(look, PERIOD);
}

const isOpen = () => selected().run_id && !shown.isClosed(selected().run_id);

let typing;
function filtered(event) {
  if (event.target.id === "filter") return drawAll();
  clearTimeout(typing);
  typing = setTimeout(() => load(), event.target.matches("select") ? 0 : TYPING);
  return undefined;
}

addEventListener("hashchange", drawExecution);
byId("filters").addEventListener("input", filtered);
byId("filters").addEventListener("submit", (event) => event.preventDefault());
byId("more").addEventListener("click", () => load(view.next));
listenToKeys(byId("executions"), byId("filter"));
begin();
