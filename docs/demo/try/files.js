// Pictures and DICOM slices, read in the browser: {grey: Float32Array in [0, 1], width, height}.

/* global dicomParser: a script of the page */

const LARGEST = 1024; // pixels along an edge; of a larger image, the middle is taken
const SMALLEST = 16;
const HU_LOW = -1000; // as helpers/hounsfield.py
const HU_HIGH = 400;
const PLAIN = ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1"]; // transfer syntaxes
const OTHER = { "1.2.840.10008.1.2.1.99": "is deflated", "1.2.840.10008.1.2.2": "is big-endian" };
const CT = "1.2.840.10008.5.1.4.1.1.2"; // as CT_IMAGES of helpers/data/frames.py: plain, enhanced, converted
const CT_IMAGES = [CT, `${CT}.1`, `${CT}.2`];

/** What went wrong, in one sentence for the reader. */
export class Refusal extends Error {}

/** Read a file that the reader chose or dropped. */
export async function readFile(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  const mark = String.fromCharCode(...bytes.subarray(128, 132));
  const image =
    mark === "DICM" || /\.(dcm|ima)$/i.test(file.name)
      ? readDicom(bytes, file.name)
      : await readPicture(new Blob([bytes], { type: file.type }), file.name);
  if (Math.min(image.width, image.height) < SMALLEST) {
    throw new Refusal(`${file.name}: expected an image of at least ${SMALLEST} x ${SMALLEST} pixels.`);
  }
  return middle(image);
}

/** Decode a picture; colours become grey. */
export async function readPicture(blob, name) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none", premultiplyAlpha: "none" });
  } catch {
    throw new Refusal(`${name}: expected a PNG picture or a DICOM slice, and this file is neither or is damaged.`);
  }
  const { width, height } = bitmap;
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  const pixels = context.getImageData(0, 0, width, height).data;
  const grey = new Float32Array(width * height);
  for (let i = 0; i < grey.length; i++) {
    const [red, green, blue] = pixels.subarray(4 * i, 4 * i + 3);
    grey[i] = red === green && green === blue ? red / 255 : (0.299 * red + 0.587 * green + 0.114 * blue) / 255;
  }
  return { grey, width, height };
}

/** Decode an uncompressed CT slice and map Hounsfield units to grey levels. */
function readDicom(bytes, name) {
  const parsed = (parse) => {
    try {
      return parse(bytes);
    } catch {
      throw new Refusal(`${name}: expected a DICOM slice, and this file is damaged or no DICOM file.`);
    }
  };
  const syntax = parsed(dicomParser.readPart10Header).string("x00020010") ?? PLAIN[0];
  if (!PLAIN.includes(syntax)) {
    const fault = OTHER[syntax] ?? "has compressed pixels";
    throw new Refusal(`${name}: expected an uncompressed little-endian DICOM slice, and this one ${fault}.`);
  }
  const data = parsed(dicomParser.parseDicom);
  if (!CT_IMAGES.includes(data.string("x00080016")) || data.string("x00080008")?.includes("LOCALIZER")) {
    throw new Refusal(`${name}: expected a CT slice, and this DICOM file is of another kind.`);
  }
  const element = data.elements.x7fe00010;
  const [height, width, bits] = ["x00280010", "x00280011", "x00280100"].map((tag) => data.uint16(tag));
  const frames = Number(data.string("x00280008") ?? 1);
  if (!element || element.fragments || bits !== 16 || frames !== 1 || (data.uint16("x00280002") ?? 1) !== 1) {
    throw new Refusal(`${name}: expected one CT slice of 16-bit grey pixels.`);
  }
  if (!width || !height || element.length < 2 * width * height) {
    throw new Refusal(`${name}: the pixels are missing or cut off.`);
  }
  const [slope, intercept] = ["x00281053", "x00281052"].map((tag) => parseFloat(data.string(tag)));
  if (!slope || isNaN(intercept)) {
    throw new Refusal(`${name}: expected a CT slice whose RescaleSlope and RescaleIntercept lead to Hounsfield units.`);
  }
  const signed = data.uint16("x00280103") === 1;
  const view = new DataView(data.byteArray.buffer, data.byteArray.byteOffset + element.dataOffset);
  const grey = new Float32Array(width * height);
  for (let i = 0; i < grey.length; i++) {
    const stored = signed ? view.getInt16(2 * i, true) : view.getUint16(2 * i, true);
    const hu = stored * slope + intercept;
    grey[i] = Math.min(1, Math.max(0, (hu - HU_LOW) / (HU_HIGH - HU_LOW)));
  }
  return { grey, width, height };
}

/** Cut the middle out of an image that is too large. */
function middle({ grey, width, height }) {
  const [across, down] = [Math.min(width, LARGEST), Math.min(height, LARGEST)];
  const [left, top] = [(width - across) >> 1, (height - down) >> 1];
  const rows = Array.from({ length: down }, (_, y) => (top + y) * width + left);
  const cut = new Float32Array(across * down);
  rows.forEach((start, y) => cut.set(grey.subarray(start, start + across), y * across));
  return { grey: cut, width: across, height: down };
}
