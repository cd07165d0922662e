// Creation of elements, and times of day. Text of workflows becomes text nodes, never markup.

export function element(name, options = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(options)) {
    if (key === "style") Object.assign(made.style, value);
    else if (key === "on") for (const [kind, listener] of Object.entries(value)) made.addEventListener(kind, listener);
    else if (value !== undefined && value !== null) made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

// Times are in the viewer's zone. The Swedish locale writes them as ISO 8601 does, without a "T".
const ISO = "sv-SE";
const date = (seconds) => new Date(seconds * 1000).toLocaleDateString(ISO);
export const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString(ISO);
export const moment = (seconds) => `${date(seconds)} ${new Date(seconds * 1000).toLocaleTimeString(ISO, { timeZoneName: "short" })}`;

// The time of today, and the date with the minute of any other day.
export const when = (seconds, now) =>
  date(seconds) === date(now) ? clock(seconds) : `${date(seconds)} ${clock(seconds).slice(0, 5)}`;

export const zone = () => Intl.DateTimeFormat().resolvedOptions().timeZone || "local time";
