// A worker that denoises, so that the page stays awake: on the graphics card where WebGPU is there, else in WebAssembly.

const VENDOR = new URL("./vendor/onnxruntime-web/", import.meta.url);
const KINDS = {
  webgpu: { bundle: "ort.webgpu.bundle.min.mjs", wasm: "ort-wasm-simd-threaded.asyncify.wasm" },
  wasm: { bundle: "ort.wasm.bundle.min.mjs", wasm: "ort-wasm-simd-threaded.wasm" },
};
const sessions = new Map(); // by kind and network
let kind; // "webgpu" or "wasm", found once

async function bestKind() {
  try {
    return (await navigator.gpu?.requestAdapter()) ? "webgpu" : "wasm";
  } catch {
    return "wasm";
  }
}

async function open(network) {
  const key = `${kind} ${network}`;
  if (!sessions.has(key)) {
    const ort = await import(new URL(KINDS[kind].bundle, VENDOR));
    ort.env.wasm.wasmPaths = { wasm: new URL(KINDS[kind].wasm, VENDOR).href };
    ort.env.wasm.numThreads = 1; // more need headers that a plain file server does not send
    ort.env.logLevel = "error";
    const file = new URL(`./networks/${network}.onnx`, import.meta.url).href;
    sessions.set(key, { ort, session: await ort.InferenceSession.create(file, { executionProviders: [kind] }) });
  }
  return sessions.get(key);
}

async function denoise({ network, noisy, height, width }) {
  const { ort, session } = await open(network);
  const start = performance.now();
  const batch = new ort.Tensor("float32", noisy, [1, height, width, 1]);
  const answer = (await session.run({ [session.inputNames[0]]: batch }))[session.outputNames[0]];
  return { denoised: new Float32Array(await answer.getData()), seconds: (performance.now() - start) / 1000 };
}

self.onmessage = async ({ data }) => {
  const files = () => performance.getEntriesByType("resource").map((entry) => entry.name);
  try {
    kind ??= await bestKind();
    let result;
    try {
      result = await denoise(data);
    } catch (error) {
      if (kind === "wasm") throw error;
      kind = "wasm"; // a graphics card that cannot do it
      result = await denoise(data);
    }
    self.postMessage({ ...result, id: data.id, kind, files: files() });
  } catch (error) {
    self.postMessage({ id: data.id, error: String(error?.message ?? error) });
  }
};
