// The page "Try it": an image, noise on it, and what BM3D and a network make of that.

import { Refusal, readFile, readPicture } from "./files.js";
import { addNoise, psnr } from "./noise.js";

const here = (path) => new URL(path, import.meta.url).href;
const part = (id) => document.getElementById(`try-${id}`);
const known = await (await fetch(here("./samples/samples.json"))).json();
const stds = [0, ...known.stds];
const engine = new Worker(here("./engine.js"), { type: "module" });
const waiting = new Map(); // calls of the engine by number
const NAMES = { clean: "clean", noisy: "noisy", bm3d: "BM3D", denoised: "network" };
let shown = { images: {} }; // what the canvases show
let source = null; // {title, grey, width, height}, and of a sample its name, sample
let own = null; // the source that the reader's last file became
let turn = 0; // only the newest request is shown

engine.onmessage = ({ data }) => {
  const { resolve, reject } = waiting.get(data.id);
  waiting.delete(data.id);
  if (data.error) reject(new Error(data.error));
  else resolve(data);
};

engine.onerror = () => {
  for (const { reject } of waiting.values()) reject(new Error("the engine could not be loaded"));
};

function denoise(network, noisy, height, width, id) {
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve, reject });
    engine.postMessage({ id, network, noisy, height, width });
  });
}

function say(sentence, isFault = false) {
  part("message").textContent = sentence;
  part("message").classList.toggle("fault", isFault);
}

/** Draw grey levels on a canvas, those outside [0, 1] as black and white. */
function draw(canvas, grey) {
  const { width, height } = source;
  [canvas.width, canvas.height] = [width, height];
  const pixels = new ImageData(width, height);
  for (let i = 0; i < grey.length; i++) {
    pixels.data.fill(Math.round(255 * Math.min(1, Math.max(0, grey[i]))), 4 * i, 4 * i + 3);
    pixels.data[4 * i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(pixels, 0, 0);
}

/** Show an image in its place, or hide the place. */
function show(key, grey, words = "") {
  const figure = part(key);
  figure.hidden = !grey;
  shown.images[key] = grey;
  for (const option of document.querySelectorAll(`#try option[value="${key}"]`)) option.disabled = !grey;
  if (!grey) return;
  const canvas = figure.querySelector("canvas");
  draw(canvas, grey);
  canvas.setAttribute("aria-label", `${source.title}: ${NAMES[key]}. ${words}`);
  figure.querySelector("figcaption").innerHTML = `<b>${NAMES[key]}</b> <span>${words}</span>`;
}

/** Lay two of the images on each other. */
function swipe() {
  for (const side of ["left", "right"]) {
    const choice = part(side);
    if (!shown.images[choice.value]) choice.value = side === "left" ? "noisy" : "denoised";
    const canvas = part(`swipe-${side}`);
    if (shown.images[choice.value]) draw(canvas, shown.images[choice.value]);
    canvas.setAttribute("aria-label", `${NAMES[choice.value]}, on the ${side} of the divider`);
  }
  divide();
}

function divide() {
  part("stack").style.setProperty("--at", `${part("divider").value}%`);
}

async function update() {
  const mine = ++turn;
  const std = stds[part("noise").value];
  const hu = Math.round(std * 1400);
  const words = std ? `${std.toFixed(2)} grey levels (${hu} HU)` : "none added";
  part("noise").setAttribute("aria-valuetext", words);
  part("noise-words").textContent = words;
  if (!source) return;
  const { grey, width, height, sample } = source;
  const noisy = std ? addNoise(grey, std, known.seed) : grey.slice();
  const score = (image) => (std ? `${psnr(grey, image).toFixed(2)} dB` : "");
  const at = known.stds.indexOf(std);
  say("Denoising ...");
  part("figures").setAttribute("aria-busy", "true");
  show("clean", std ? grey : null);
  show("noisy", noisy, score(noisy));
  try {
    const stored = sample && std ? await fetchGrey(`${sample}_bm3d_${std.toFixed(2)}.png`) : null;
    const result = await denoise(part("network").value, noisy, height, width, mine);
    if (mine !== turn) return;
    show("bm3d", stored, stored ? `${known.samples[sample].bm3d[at].toFixed(2)} dB` : "");
    show("denoised", result.denoised, score(result.denoised));
    part("noisy").querySelector("b").textContent = std ? "noisy" : "as it is";
    swipe();
    const where = result.kind === "webgpu" ? "on the graphics card (WebGPU)" : "in WebAssembly";
    say(`Denoised in ${result.seconds.toFixed(2)} s ${where}, in this browser.`);
    remember(result.files);
  } catch (error) {
    if (mine !== turn) return;
    show("bm3d", null);
    show("denoised", null);
    say(`The network could not be run in this browser: ${error.message}.`, true);
  }
  part("figures").setAttribute("aria-busy", "false");
}

async function fetchGrey(file) {
  const answer = await fetch(here(`./samples/${file}`));
  return (await readPicture(await answer.blob(), file)).grey;
}

async function chooseSample(name) {
  const { title, note, source: origin } = known.samples[name];
  const answer = await fetch(here(`./samples/${name}.png`));
  source = { ...(await readPicture(await answer.blob(), name)), title, sample: name };
  part("about").textContent = `${title}. Source: ${origin}. ${note}`;
  await update();
}

async function chooseFile(file) {
  try {
    own = { ...(await readFile(file)), title: file.name };
  } catch (error) {
    const sentence = error instanceof Refusal ? error.message : `${file.name}: this file could not be read.`;
    say(sentence, true);
    return;
  }
  part("own").disabled = false;
  part("sample").value = "";
  await showOwn();
}

async function showOwn() {
  source = own;
  part("about").textContent =
    `${source.title}, ${source.width} x ${source.height} pixels. It stays in this browser. With noise added, PSNR ` +
    "compares with the file as it is; BM3D is stored for the samples only.";
  await update();
}

/** Let the service worker keep all that was used, for a visit without a network. */
async function remember(files) {
  const worker = (await navigator.serviceWorker?.ready)?.active;
  const used = performance.getEntriesByType("resource").map((entry) => entry.name);
  const networks = [...part("network").options].map((option) => here(`./networks/${option.value}.onnx`));
  const samples = Object.keys(known.samples).flatMap((name) => [
    here(`./samples/${name}.png`),
    ...known.stds.map((std) => here(`./samples/${name}_bm3d_${std.toFixed(2)}.png`)),
  ]);
  worker?.postMessage({ keep: [location.href.split("#")[0], ...used, ...files, ...networks, ...samples] });
}

for (const [name, { title }] of Object.entries(known.samples)) part("sample").add(new Option(title, name));
part("noise").max = stds.length - 1;
part("noise").value = stds.indexOf(0.07);
part("noise").addEventListener("input", update);
part("network").addEventListener("change", update);
part("sample").addEventListener("change", ({ target }) => (target.value ? chooseSample(target.value) : showOwn()));
part("file").addEventListener("click", ({ target }) => (target.value = "")); // the same file can come again
part("file").addEventListener("change", ({ target }) => target.files[0] && chooseFile(target.files[0]));
part("divider").addEventListener("input", divide);
for (const side of ["left", "right"]) part(side).addEventListener("change", swipe);

const area = document.getElementById("try");
for (const kind of ["dragenter", "dragover", "dragleave", "drop"]) {
  area.addEventListener(kind, (event) => {
    event.preventDefault();
    area.classList.toggle("over", kind === "dragenter" || kind === "dragover");
    if (kind === "drop" && event.dataTransfer.files[0]) chooseFile(event.dataTransfer.files[0]);
  });
}

navigator.serviceWorker?.register(here("../sw.js"));
part("sample").value = Object.keys(known.samples)[0];
await chooseSample(part("sample").value);
