// Inputs and results: mostly JSON text, and more readable as JSON. A claim stands for a longer text,
// which is fetched when the viewer asks for it.

import { element } from "./element.js";

const CLAIM = "garcon.claim";

export function parsed(text) {
  try {
    return typeof text === "string" && /^\s*[[{]/.test(text) ? JSON.parse(text) : text;
  } catch {
    return text;
  }
}

export const readable = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));

// openClaim: from a claim's digest to a promise of the text; without it a claim stays closed.
export function panel(heading, text, { openClaim, bad } = {}) {
  const value = parsed(text);
  const body = element("pre", { tabindex: "0" }, readable(value));
  const section = element("section", { class: bad ? "card panel note" : "card panel", "aria-label": heading },
    element("h3", {}, heading), body);
  const digest = value?.[CLAIM];
  if (digest && openClaim) section.append(claimButton(digest, value.characters, body, openClaim));
  return section;
}

function claimButton(digest, characters, body, openClaim) {
  const button = element("button", { type: "button", class: "button" }, `Open the claim (${characters} characters)`);
  button.addEventListener("click", async () => {
    button.disabled = true;
    try {
      body.textContent = readable(parsed(await openClaim(digest)));
      button.remove();
    } catch (error) {
      button.disabled = false;
      body.textContent = error.message;
    }
  });
  return button;
}
