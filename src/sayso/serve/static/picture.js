// Searching by a picture that is dropped, pasted or chosen. It is made small here, which saves time
// on the way, and kept for this tab, so that reloading and going back work.

import { $ } from "./dom.js";

const SIDE = 768;
const KEPT = 8;
const held = new Map();

/** Return the Blob of a picture by the key that stands in the address, or null. */
export function pictureOf(key) {
  if (!held.has(key)) {
    const stored = sessionStorage.getItem(`picture-${key}`);
    if (stored) held.set(key, fromText(stored));
  }
  return held.get(key) ?? null;
}

/** Watch the page; `onPicture(key)` is called with the key of a new picture. */
export function watchPictures(onPicture) {
  const take = async (file) => file && onPicture(await keep(file));
  const dragged = (event) => event.dataTransfer?.types.includes("Files");
  let depth = 0;
  const show = (change) => {
    depth = change === 0 ? 0 : Math.max(0, depth + change);
    $("drop").classList.toggle("shown", depth > 0);
  };
  addEventListener("dragenter", (event) => dragged(event) && show(+1));
  addEventListener("dragleave", (event) => dragged(event) && show(-1));
  addEventListener("dragover", (event) => dragged(event) && event.preventDefault());
  addEventListener("drop", (event) => {
    if (!dragged(event)) return;
    event.preventDefault();
    show(0);
    take(pictureIn(event.dataTransfer.files));
  });
  addEventListener("paste", (event) => take(pictureIn(event.clipboardData?.files ?? [])));
  $("file").addEventListener("change", (event) => {
    take(event.target.files[0]);
    event.target.value = "";
  });
}

const pictureIn = (files) => [...files].find((file) => file.type.startsWith("image/")) ?? files[0] ?? null;

async function keep(file) {
  const blob = await smaller(file);
  const key = Array.from(crypto.getRandomValues(new Uint8Array(6)), (byte) => byte.toString(16).padStart(2, "0")).join("");
  held.set(key, blob);
  try {
    const keys = Object.keys(sessionStorage).filter((name) => name.startsWith("picture-"));
    if (keys.length >= KEPT) keys.forEach((name) => sessionStorage.removeItem(name));
    sessionStorage.setItem(`picture-${key}`, await toText(blob));
  } catch {
    // No room: the picture lasts until the page is reloaded.
  }
  return key;
}

/** Return a JPEG of at most SIDE pixels; the file itself where the browser cannot read it. */
async function smaller(file) {
  try {
    const image = await createImageBitmap(file);
    const scale = Math.min(1, SIDE / Math.max(image.width, image.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.max(1, Math.round(image.width * scale));
    canvas.height = Math.max(1, Math.round(image.height * scale));
    const context = canvas.getContext("2d");
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(image, 0, 0, canvas.width, canvas.height);
    image.close();
    return (await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.9))) ?? file;
  } catch {
    return file;
  }
}

const toText = (blob) =>
  new Promise((done, fail) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result);
    reader.onerror = () => fail(reader.error);
    reader.readAsDataURL(blob);
  });

function fromText(text) {
  const [head, body] = text.split(",");
  const bytes = Uint8Array.from(atob(body), (letter) => letter.charCodeAt(0));
  return new Blob([bytes], { type: head.slice(5).split(";")[0] });
}
