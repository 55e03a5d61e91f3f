// Talking to the server. Every failure is an Error whose message is a sentence for people.

import { FILTERS } from "./state.js";

const TRIES = 3;

async function send(path, options, tries = TRIES) {
  try {
    const response = await fetch(path, options);
    const again_s = Number(response.headers.get("retry-after"));
    if (tries <= 1 || !again_s || again_s > 10 || ![429, 503].includes(response.status)) return response;
    await new Promise((done) => setTimeout(done, 1000 * again_s));
    options?.signal?.throwIfAborted();
    return await send(path, options, tries - 1);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The server does not answer. Is “sayso serve” still running?");
  }
}

async function refuse(response) {
  const answer = await response.json().catch(() => ({}));
  const error = new Error(answer.error ?? `The server answered ${response.status}.`);
  throw Object.assign(error, { status: response.status });
}

async function ask(path, options = {}) {
  const response = await send(path, { headers: { accept: "application/json" }, ...options });
  if (!response.ok) await refuse(response);
  return response.json().catch(() => ({}));
}

function query(fields) {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) {
    if (value !== "" && value !== null && value !== undefined) params.set(name, value);
  }
  return params.toString();
}

const filtersOf = (state) => ({
  collection: state.collection,
  kind: state.kind,
  ...Object.fromEntries(FILTERS.map((name) => [name, state[name].trim()])),
});

/** Return {query, hits, found, next, took_ms, problems} for a state; `picture` is the Blob to search by, if any. */
export function search(state, { limit, cursor, picture, signal, media_id, merge }) {
  const wanted = { ...filtersOf(state), limit, cursor, media_id, by_file: state.by_file, sort: state.sort };
  if (state.similar) {
    return ask(`/api/similar/${encodeURIComponent(state.similar)}?${query({ ...wanted, q: state.q })}`, { signal });
  }
  Object.assign(wanted, { q: state.q, text_weight: state.text_weight, merge });
  if (!state.picture) return ask(`/api/search?${query(wanted)}`, { signal });
  if (!picture) return Promise.reject(new Error("The picture of this search is not here any more. Drop it again."));
  const body = new FormData();
  body.append("picture", picture, "picture");
  return ask(`/api/search/image?${query(wanted)}`, { method: "POST", body, signal });
}

/** Return {files, months}: how many files pass the filters of a state, in all and month by month. */
export const timeline = (state, signal) => ask(`/api/timeline?${query(timed(state))}`, { signal });

/** Return {files} of a stretch of the timeline. */
export const timelineFiles = (state, stretch) => ask(`/api/timeline/files?${query({ ...timed(state), ...stretch })}`);

const timed = (state) => ({ ...filtersOf(state), min_score: "" });

/** Return a file of the index, its moments scored for what is searched. */
export async function media(id, state, { picture, signal }) {
  const { q, similar, text_weight } = state;
  const within = state.picture ? {} : { q: similar ? "" : q, similar, text_weight };
  const file = await ask(`/api/media/${encodeURIComponent(id)}?${query(within)}`, { signal });
  if (state.picture && picture && file.kind === "video") {
    const plain = { ...Object.fromEntries(Object.keys(state).map((name) => [name, ""])), ...pick(state) };
    const { hits } = await search(plain, { limit: 500, picture, signal, media_id: id, merge: false });
    file.moments = hits.sort((one, other) => one.start_s - other.start_s);
  }
  return file;
}

/** Return "direct" if the browser plays a file as it is, else "stream". */
export async function playable(id) {
  const response = await fetch(`/media/${encodeURIComponent(id)}`, { method: "HEAD" }).catch(() => null);
  return response?.headers.get("sayso-playable") ?? "stream";
}

const pick = ({ q, picture, text_weight }) => ({ q, picture, text_weight });

/** Return {heat, x, y}: how similar each cell of a picture, or of a film at a second, is to the words; and the middle of the best. */
export const where = (id, words, second, signal) => ask(`/api/where/${encodeURIComponent(id)}?${query({ q: words, t: second })}`, { signal });

/** Ask about a moment; return {madeBy, pieces}: who answers, and the words as they come. */
export async function question(asked, signal) {
  const response = await send("/api/ask", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(asked),
    signal,
  });
  if (!response.ok) await refuse(response);
  return { madeBy: response.headers.get("sayso-made-by") ?? "", pieces: piecesOf(response.body) };
}

async function* piecesOf(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (let read = await reader.read(); !read.done; read = await reader.read()) yield read.value;
}

/** Return what a collection holds; "" is all of them. */
export const about = (collection = "") => ask(collection ? `/api/index?${query({ collection })}` : "/api/index");

/** Open a file on this machine, or reveal it in its folder. */
export const showFile = (how, id) => ask(`/api/${how}/${encodeURIComponent(id)}`, { method: "POST" });

/** Return {hits} of picks: ID, or ID@START-END. */
export const picked = (picks) => ask(`/api/moments?${new URLSearchParams(picks.map((pick) => ["pick", pick]))}`);

/** Return hits as a file of a format, with the scores that they were found with. */
export async function saved(form, name, hits) {
  const moments = hits.map((hit) => ({ id: hit.id, start_s: hit.start_s, end_s: hit.end_s, scores: scoresOf(hit) }));
  const response = await send(`/api/save/${form}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ name, moments }),
  });
  if (!response.ok) await refuse(response);
  return response.blob();
}

const SCORE = /score$|^(visual|spoken|described|similarity|bm25)$/;

const scoresOf = (hit) => Object.fromEntries(Object.entries(hit).filter(([name, value]) => SCORE.test(name) && (value === null || typeof value === "number")));

/** Return {name, blob} of a moment as a video of its own. */
export async function clip({ id, start_s, end_s }) {
  const response = await send(`/clip/${encodeURIComponent(id)}?${query({ start_s, end_s })}`);
  if (!response.ok) await refuse(response);
  const name = response.headers.get("content-disposition")?.match(/filename\*=UTF-8''(.+)$/)?.[1] ?? "clip.mp4";
  return { name: decodeURIComponent(name), blob: await response.blob() };
}
