"""What a network learns from: functions that draw clean patches, and functions that spoil them.

draw(n, rng) -> clean patches (n, size, size, slices); corrupt(clean, rng) -> noisy ones of the same shape.
"""

import functools

import cv2
import numpy as np
import skimage.data

from ..checks import check_images, check_whole
from ..data.patches import draw_patches
from ..noise import add_correlated_noise, add_gaussian_noise


def ct_patches(patients, size=64, *, slices=1):
    """Return a function that draws training patches at three scales.

    Patients are scanned at different pixel sizes: copies of each slice at 0.7 and 0.5 of its size
    (0.70 mm pixels become 1.0 and 1.4 mm) teach a network all of them. The air around the body is cut
    away first; nothing can be learned from it.

    Parameters
    ----------
    patients : list of arrays of shape (n, height, width, 1)
        Clean slices in [0, 1].
    size : int
        Edge of a patch in pixels.
    slices : int
        Number of neighbouring slices in a patch.

    Returns
    -------
    function
        draw(n, rng) -> patches of shape (n, size, size, slices), for `NoisyBatches`.

    Raises
    ------
    ValueError
        If a patient is no batch in [0, 1] or has fewer slices, `size` or `slices` is no whole number of at
        least 1, or a body, at half its size, is smaller than a patch.

    Examples
    --------
    >>> draw = ct_patches([np.ones((2, 128, 128, 1), "float32")])
    >>> draw(3, np.random.default_rng(0)).shape
    (3, 64, 64, 1)
    """
    bodies = [_body(check_images(images, "patients")) for images in patients]
    size = check_whole(size, "size", 1)
    slices = check_whole(slices, "slices", 1, min(map(len, bodies)))
    sources = [_resized(images, scale) for scale in (1.0, 0.7, 0.5) for images in bodies]
    if any(min(images.shape[1:3]) < size for images in sources):
        raise ValueError(
            f"patients: expected bodies of at least {2 * size} pixels, "
            f"got {', '.join('{} x {}'.format(*images.shape[1:3]) for images in bodies)}"
        )
    return lambda n, rng: draw_patches(sources, size, n, rng, slices)


def varied_patches(patients, size=64, *, slices=1):
    """As `ct_patches`, with other contrast and other grain, and everyday pictures among single slices.

    One patient is little to learn from. Contrast (0.7 to 1.3) and brightness (plus or minus 0.1) of each
    patch are changed at random, and of single slices a quarter are patches of the pictures that scikit-image
    brings along (a cat, a brick wall, a page of text), which have edges and textures of many more kinds.
    Every scan has a grain, its own smooth noise, which counts as clean here and should be kept; shrunk slices
    and pictures have less, so each patch gets some: 0 to 20 HU (0.014), blurred by 0.4 to 1 pixel.

    Parameters
    ----------
    patients, size, slices
        As for `ct_patches`. Of several slices, all are of patients: a picture has no neighbours.

    Returns
    -------
    function
        draw(n, rng) -> patches of shape (n, size, size, slices), for `NoisyBatches`.

    Raises
    ------
    ValueError
        As `ct_patches`, and if a patch is larger than the smallest picture, 103 pixels.

    References
    ----------
    van der Walt et al., "scikit-image: image processing in Python", PeerJ 2:e453, 2014, for the pictures.

    Examples
    --------
    >>> draw = varied_patches([np.ones((2, 128, 128, 1), "float32")])
    >>> draw(8, np.random.default_rng(0)).shape
    (8, 64, 64, 1)
    """
    of_patients = ct_patches(patients, size, slices=slices)
    pictures = _pictures() if slices == 1 else []
    if any(min(picture.shape[1:3]) < size for picture in pictures):
        raise ValueError(f"size: expected at most 103 pixels, the smallest picture's, got {size}")

    def draw(n, rng):
        patches = of_patients(n, rng)
        if pictures and n >= 4:
            patches[: n // 4] = draw_patches(pictures, size, n // 4, rng, 1)
        contrast = rng.uniform(0.7, 1.3, (n, 1, 1, 1))
        brightness = rng.uniform(0.3, 0.5, (n, 1, 1, 1))
        std, sigma = rng.uniform(0, 0.014, n), rng.uniform(0.4, 1.0, n)
        empty = np.zeros_like(patches)
        grain = _each_slice(empty, add_correlated_noise, std, rng, sigma=sigma)
        patches = contrast * (patches - 0.4) + brightness + grain
        return patches.clip(0, 1).astype(np.float32)

    return draw


def _each_slice(patches, corrupt, std, rng, **settings):
    """Spoil each slice of a patch by itself; the noise of neighbouring slices is independent."""
    slices = np.split(patches, patches.shape[-1], axis=-1)
    return np.concatenate([corrupt(one, std, rng, **settings) for one in slices], axis=-1)


@functools.cache
def _pictures():
    """The pictures in the package scikit-image, grey, at 0.6 of their size."""
    names = "astronaut brick camera cell chelsea clock coffee coins grass gravel hubble_deep_field "
    names += "immunohistochemistry moon page rocket text"
    pictures = []
    for name in names.split():
        picture = getattr(skimage.data, name)().astype(np.float32) / 255
        grey = picture if picture.ndim == 2 else picture[..., :3].mean(axis=-1)
        pictures.append(_resized(grey[None], 0.6))
    return pictures


def _body(images):
    """Cut away the rows and columns in which no slice shows anything but air and lung."""
    dense = (images[..., 0] > 0.5).any(axis=0)
    if not dense.any():
        return images
    rows, columns = (np.flatnonzero(dense.any(axis=axis)) for axis in (1, 0))
    return images[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def _resized(images, scale):
    settings = {"fx": scale, "fy": scale, "interpolation": cv2.INTER_AREA}
    return np.stack([cv2.resize(image, None, **settings) for image in images])[..., None]


def unknown_noise(clean, rng):
    """Add Gaussian noise whose standard deviation, from 0 to 0.16, is drawn anew for each patch.

    Examples
    --------
    >>> unknown_noise(np.zeros((2, 8, 8, 5), "float32"), np.random.default_rng(0)).shape
    (2, 8, 8, 5)
    """
    return _each_slice(clean, add_gaussian_noise, rng.uniform(0, 0.16, len(clean)), rng)


def known_noise(clean, rng):
    """Add Gaussian noise of standard deviation 0.07.

    Examples
    --------
    >>> known_noise(np.zeros((2, 8, 8, 1), "float32"), np.random.default_rng(0)).shape
    (2, 8, 8, 1)
    """
    return add_gaussian_noise(clean, 0.07, rng)
