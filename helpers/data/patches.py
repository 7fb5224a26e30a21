"""Square patches out of patients, for training."""

import cv2
import numpy as np


def draw_patches(patients, size, n, rng, slices=1):
    """Cut n square patches at random places, each flipped and turned at random; the arguments are trusted.

    Each patient, an array (n_slices, height, width, channels), is drawn with equal probability. A patch has `slices`
    neighbouring slices, in this order or reversed, with all channels of each. On patches with the eight symmetries of
    the square: Zhang et al., "Beyond a Gaussian denoiser" (DnCNN), IEEE Trans. Image Processing 26, 2017.

    >>> patient = np.zeros((3, 90, 80, 1), "float32")
    >>> draw_patches([patient], 64, 5, np.random.default_rng(0), 3).shape
    (5, 64, 64, 3)
    """
    channels = patients[0].shape[-1]
    patches = np.empty((n, size, size, slices, channels), np.float32)
    for patch in patches:
        images = patients[rng.integers(len(patients))]
        top, left = (rng.integers(edge - size, endpoint=True) for edge in images.shape[1:3])
        first = rng.integers(len(images) - slices, endpoint=True)
        cut = images[first : first + slices, top : top + size, left : left + size]
        cut = np.rot90(np.moveaxis(cut, 0, 2), rng.integers(4))
        cut = cut[:, :, ::-1] if slices > 1 and rng.integers(2) else cut
        patch[...] = cut[:, ::-1] if rng.integers(2) else cut
    return patches.reshape(n, size, size, slices * channels)


def resized(images, scale, *, interpolation=cv2.INTER_AREA):
    """Shrink or enlarge each image of (n, height, width) or (n, height, width, 1); no channel is left.

    >>> resized(np.zeros((3, 20, 30, 1)), 0.5).shape
    (3, 10, 15)
    """
    settings = {"fx": scale, "fy": scale, "interpolation": interpolation}
    return np.stack([cv2.resize(image, None, **settings) for image in images])
