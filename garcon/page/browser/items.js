// The list of executions, and the keys that move in it.

import { element, when } from "./element.js";
import { STATUS_WORDS, duration } from "./presentation.js";

export const pill = (status) => element("span", { class: `pill ${status}` }, STATUS_WORDS[status] ?? status);

// A tag of a redriven run names the run before.
const REDRIVE_TAG = "garcon-redrive-of=";
export const redriveOf = (tags) => tags?.find((tag) => tag.startsWith(REDRIVE_TAG))?.slice(REDRIVE_TAG.length);
export const tagsOf = ({ tags }) =>
  (tags ?? []).map((tag) => tag.startsWith(REDRIVE_TAG) ? "(redrive)" : tag).join(", ");

// The address of an execution on the page.
export const addressOf = ({ run_id, workflow_id, started_at }) =>
  `#${[run_id, workflow_id, started_at].map((part) => encodeURIComponent(part ?? "")).join("/")}`;

export function selected() {
  const [run_id = "", workflow_id = "", started_at = ""] = location.hash.slice(1).split("/").map(decoded);
  return { run_id, workflow_id, started_at };
}

function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // a damaged link leads to no execution
  }
}

export function listItem(execution, now) {
  const open = duration((execution.closed_at ?? now) - execution.started_at);
  const current = execution.run_id === selected().run_id ? "true" : null;
  const named = tagsOf(execution), tags = named ? ` · ${named}` : "";
  return element("li", {},
    element("a", { href: addressOf(execution), "aria-current": current },
      element("strong", {}, execution.workflow_id), pill(execution.status),
      element("small", {}, `${execution.type_name} ${execution.type_version} · ${execution.domain}${tags}`),
      element("small", { class: "right" }, `${when(execution.started_at, now)} · ${open}`),
      ...(execution.stuck ? [element("small", { class: "stuck" }, execution.stuck)] : [])));
}

// Redraws a list and leaves the focus where it was.
export function drawList(list, items) {
  const focused = list.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  list.replaceChildren(...items);
  if (focused) [...list.querySelectorAll("a")].find((link) => link.getAttribute("href") === focused)?.focus();
}

// j and k, or the arrows, move in the list; Enter opens; / goes to the filter; Escape goes back.
export function listenToKeys(list, filter) {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    const typing = event.target.matches("input, select, textarea");
    if (event.key === "Escape") return typing ? event.target.blur() : close();
    if (typing) return;
    const step = { j: 1, ArrowDown: 1, k: -1, ArrowUp: -1 }[event.key];
    if (event.key === "/") {
      event.preventDefault();
      filter.focus();
    } else if (step && !event.target.matches("pre")) move(event, list, step);
  });
}

function move(event, list, step) {
  const links = [...list.querySelectorAll("a")];
  if (!links.length || (event.key.startsWith("Arrow") && !list.contains(document.activeElement))) return;
  event.preventDefault();
  const at = links.indexOf(document.activeElement);
  links[Math.min(Math.max(at + step, 0), links.length - 1)].focus();
}

export function close() {
  if (!location.hash) return;
  history.pushState(null, "", location.pathname + location.search);
  dispatchEvent(new HashChangeEvent("hashchange"));
}

// On a telephone the list and the execution take turns; the class of the body says which is shown.
export const showTurn = () => document.body.classList.toggle("detail", Boolean(location.hash));

// The section of task lists: each has kind, name, backlog, and a note; bad: no one serves it.
export function taskLists(lists) {
  const rows = lists.map(({ kind, name, backlog, note, bad }) => element("div", {},
    element("span", {}, `${name} `, element("small", {}, kind)),
    element("small", {}, `${backlog ?? "…"} waiting${note ? " · " : ""}`, bad ? element("b", { class: "bad" }, note) : note)));
  return rows.length ? [element("h3", {}, "Task lists"), ...rows] : [];
}
