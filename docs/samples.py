"""Write the samples of the page "Try it": `python docs/samples.py` (a minute or two).

A sample is a clean picture of 8 bits. The page adds noise that this module can repeat to the last digit, so that what
BM3D makes of it can be stored, and a test can compare the page's answers with those of Python.
"""

import json

import cv2
import numpy as np
import skimage.data

import publish
from helpers import baselines, data, metrics

FOLDER = publish.ROOT / "docs" / "demo" / "try" / "samples"
STDS = (0.01, 0.03, 0.05, 0.07, 0.09, 0.11, 0.13)
SEED = 2024
SIZE = 320
LIDC = "LIDC-IDRI, The Cancer Imaging Archive, CC BY 3.0 (Armato et al. 2011)"
SEEN = "The networks have learned from this patient, so they do a little too well here."
SAMPLES = {
    "heart": ("Chest CT, at the height of the heart", LIDC, SEEN),
    "shoulders": ("Chest CT, upper lungs", LIDC, SEEN),
    "phantom": (
        "Shepp-Logan phantom, a drawing",
        "scikit-image",
        "No network has seen it, and a drawing is not what they know: where noise is weak, BM3D is ahead.",
    ),
}
SLICES = {"heart": 62, "shoulders": 100}  # of the training patient


def clean(name):
    """Return a clean sample, (SIZE, SIZE), uint8."""
    if name == "phantom":
        picture = cv2.resize(
            skimage.data.shepp_logan_phantom(), (SIZE, SIZE), interpolation=cv2.INTER_AREA
        )
    else:
        picture = data.load_ct("train")[0][SLICES[name], ..., 0]
        top, left = (picture.shape[0] - SIZE) // 2, (picture.shape[1] - SIZE) // 2
        picture = picture[top : top + SIZE, left : left + SIZE]
    return np.rint(picture.clip(0, 1) * 255).astype(np.uint8)


def uniform(count, seed):
    """Return numbers in [0, 1): the generator mulberry32, as `try/noise.js` has it.

    >>> uniform(2, 1).round(6).tolist()
    [0.627074, 0.002736]
    """
    with np.errstate(over="ignore"):
        state = np.uint32(seed) + np.uint32(0x6D2B79F5) * np.arange(1, count + 1, dtype=np.uint32)
        mixed = (state ^ (state >> np.uint32(15))) * (state | np.uint32(1))
        mixed ^= mixed + (mixed ^ (mixed >> np.uint32(7))) * (mixed | np.uint32(61))
    return (mixed ^ (mixed >> np.uint32(14))) / 2.0**32


def standard_noise(shape, seed=SEED):
    """Return normal noise of standard deviation 1, by Box and Muller, float64: the page's noise."""
    first, second = uniform(2 * int(np.prod(shape)), seed).reshape(-1, 2).T
    return (np.sqrt(-2 * np.log(1 - first)) * np.cos(2 * np.pi * second)).reshape(shape)


def noisy(name, std):
    """Return a stored sample with the page's noise, as a batch of one, float32."""
    picture = cv2.imread(str(FOLDER / f"{name}.png"), cv2.IMREAD_GRAYSCALE)
    grey = picture.astype(np.float32) / 255
    return grey[None, ..., None], (grey + std * standard_noise(grey.shape)).astype(np.float32)[
        None, ..., None
    ]


def main():
    """Write all samples, what BM3D makes of them, and what is known of them."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    known = {"stds": STDS, "seed": SEED, "samples": {}}
    for name, (title, source, note) in SAMPLES.items():
        cv2.imwrite(str(FOLDER / f"{name}.png"), clean(name))
        scores = []
        for std in STDS:
            reference, batch = noisy(name, std)
            answer = baselines.bm3d(batch, std).clip(0, 1)
            scores.append(round(float(metrics.psnr(reference, answer)[0]), 2))
            pixels = np.rint(answer[0, ..., 0] * 255).astype(np.uint8)
            cv2.imwrite(str(FOLDER / f"{name}_bm3d_{std:.2f}.png"), pixels)
        about = {"title": title, "source": source, "note": note, "bm3d": scores}
        known["samples"][name] = about
        print(name, scores)
    text = json.dumps(known, indent=1) + "\n"
    (FOLDER / "samples.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
