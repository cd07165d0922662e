// Small helpers. Text from workflows becomes text nodes and never markup.

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

export function duration(seconds) {
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  if (seconds < 3599.5) return pair(Math.round(seconds), "min", "s");
  if (seconds < 172770) return pair(Math.round(seconds / 60), "h", "min");
  return `${(seconds / 86400).toFixed(1)} days`;
}

// Rounded before it is parted, so that no hour has sixty minutes.
const pair = (total, large, small) => `${Math.floor(total / 60)} ${large} ${total % 60} ${small}`;

export const clock = (seconds) => new Date(seconds * 1000).toLocaleTimeString([], { hour12: false });
export const moment = (seconds) => new Date(seconds * 1000).toLocaleString([], { hour12: false });
