"""Square patches out of patients, for training."""

import cv2
import numpy as np

from ..checks import check_rng, check_whole


def random_patches(patients, size, *, n, rng, slices=1):
    """Cut square patches at random places, each flipped and turned at random.

    Parameters
    ----------
    patients : list of arrays of shape (n_slices, height, width, 1)
        Images to cut from; each array is drawn with equal probability.
    size : int
        Edge of a patch in pixels, at most the smallest height and width.
    n : int
        Number of patches.
    rng : numpy.random.Generator
        Source of randomness.
    slices : int
        How many neighbouring slices a patch shows, one in each channel, in this order or reversed.

    Returns
    -------
    ndarray of shape (n, size, size, slices), float32

    Raises
    ------
    ValueError
        If `patients` is no list of such arrays, `size`, `n` or `slices` is no whole number of at least 1,
        a patient is smaller than the patch, or `rng` is no Generator.

    References
    ----------
    Zhang et al., "Beyond a Gaussian denoiser" (DnCNN), IEEE Trans. Image Processing 26, 2017: training
    on patches with the eight symmetries of the square.

    Examples
    --------
    >>> patient = np.zeros((3, 90, 80, 1), "float32")
    >>> random_patches([patient], 64, n=5, rng=np.random.default_rng(0)).shape
    (5, 64, 64, 1)
    """
    shapes = [np.shape(images) for images in patients]
    if not shapes or any(len(shape) != 4 or shape[-1] != 1 or 0 in shape for shape in shapes):
        raise ValueError(
            "patients: expected a list of arrays of shape (n_slices, height, width, 1), "
            f"got shapes {shapes}"
        )
    size = check_whole(size, "size", 1, min(min(shape[1:3]) for shape in shapes))
    n = check_whole(n, "n", 1)
    slices = check_whole(slices, "slices", 1, min(shape[0] for shape in shapes))
    return draw_patches(patients, size, n, check_rng(rng), slices)


def draw_patches(patients, size, n, rng, slices):
    """Do what `random_patches` does, but trust the arguments: for loops that have checked them."""
    patches = np.empty((n, size, size, slices), np.float32)
    for patch in patches:
        images = patients[rng.integers(len(patients))]
        top, left = (rng.integers(edge - size, endpoint=True) for edge in images.shape[1:3])
        first = rng.integers(len(images) - slices, endpoint=True)
        cut = images[first : first + slices, top : top + size, left : left + size, 0]
        cut = np.rot90(np.moveaxis(cut, 0, -1), rng.integers(4))
        cut = cut[..., ::-1] if slices > 1 and rng.integers(2) else cut
        patch[...] = cut[:, ::-1] if rng.integers(2) else cut
    return patches


def resized(images, scale, *, interpolation=cv2.INTER_AREA):
    """Shrink or enlarge each image of (n, height, width) or (n, height, width, 1); no channel is left.

    >>> resized(np.zeros((3, 20, 30, 1)), 0.5).shape
    (3, 10, 15)
    """
    settings = {"fx": scale, "fy": scale, "interpolation": interpolation}
    return np.stack([cv2.resize(image, None, **settings) for image in images])
