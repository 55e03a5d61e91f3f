// The people of a collection, as faces to click: who: in the search field.

import { $, el } from "./dom.js";

/** Return how a person stands in a query. */
const term = (name) => (/^[^\s"]+$/.test(name) ? `who:${name.toLowerCase()}` : `who:"${name.replaceAll('"', "")}"`);

const terms = (q) => q.match(/(?:[+-]\s+)?who:(?:"[^"]*"|\S+)/gi) ?? [];

const named = (q, name) => terms(q).find((one) => one.replace(/^\+\s+/, "").toLowerCase() === term(name).toLowerCase());

/** Return a query with a person added, or taken out. */
export function togglePerson(q, name) {
  const there = named(q, name);
  return (there ? q.replace(there, " ") : `${term(name)} ${q}`).replace(/\s+/g, " ").trim();
}

/** Watch the row of people; `onChoose(name)` is called when one is clicked. */
export function watchPeople(onChoose) {
  $("people").addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) onChoose(button.value);
  });
}

/** Offer people. */
export function offerPeople(people) {
  $("people").replaceChildren(
    ...people.map(({ name, clips, face }) =>
      el(
        "li",
        {},
        el(
          "button",
          { type: "button", className: "pill person", value: name, title: `In ${clips} clips`, "aria-pressed": "false" },
          el("img", { src: `/${face}`, alt: "", loading: "lazy", width: 32, height: 32 }),
          name,
        ),
      ),
    ),
  );
  $("people").hidden = !people.length;
}

/** Show which of them are searched for. */
export function showPeople(q) {
  for (const button of $("people").querySelectorAll("button")) button.setAttribute("aria-pressed", Boolean(named(q, button.value)));
}
