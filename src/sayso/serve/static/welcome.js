// What stands here before anything is searched: what the collection holds, and what to try.

import { $, el, length, many } from "./dom.js";

const HINTS = ["people outdoors", "an animal on grass", "food on a table", "2:water + boat - people"];

export function showWelcome(index, { list, onHint }) {
  const parts = [];
  if (index.videos) parts.push(`${many(index.videos, "video")} (${length(index.duration_s)})`);
  if (index.pictures) parts.push(many(index.pictures, "picture"));
  $("holds").textContent = index.media
    ? `${parts.join(" and ")}, ${many(index.clips, "moment")} to search by the model ${index.model}` +
      `${index.model === "offline" ? ", which finds less than one of the hub" : ""}. Nothing leaves this computer.`
    : "This index is empty. Fill it with: sayso index INDEX FOLDER";
  $("hints").replaceChildren(
    ...(index.media ? HINTS : []).map((hint) => {
      const button = el("button", { type: "button", className: "pill hint-text" }, hint);
      button.addEventListener("click", () => onHint(hint));
      return el("li", {}, button);
    }),
  );
  list.show(index.sample, { scored: false });
}

