// Noise that docs/samples.py can repeat, and the ruler.

/** Numbers in [0, 1): the generator mulberry32. */
function uniform(seed) {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Add normal noise of standard deviation std to grey levels. */
export function addNoise(grey, std, seed) {
  const next = uniform(seed);
  return grey.map((value) => {
    const first = next();
    const second = next();
    return value + std * Math.sqrt(-2 * Math.log(1 - first)) * Math.cos(2 * Math.PI * second);
  });
}

/** PSNR in dB of an image, cut to [0, 1], against the clean one. */
export function psnr(clean, image) {
  let sum = 0;
  for (let i = 0; i < clean.length; i++) {
    sum += (Math.min(1, Math.max(0, image[i])) - clean[i]) ** 2;
  }
  return -10 * Math.log10(sum / clean.length);
}
