"""What a network learns from where nobody has a clean image: pairs made of noisy images alone.

Each function returns pairs(n, rng) -> (input, target, weight) for `Batches`, to be trained with the mean squared error
or with the loss that it names. A weight of None counts all pixels alike.
"""

import cv2
import numpy as np

from ..checks import NOISE_MARGIN, check_images, check_number, check_whole
from ..data.patches import draw_patches
from ..models import GRID_SPACING, hidden_grid


def clean_targets(noisy, clean, size=64):
    """Learn the clean image from a noisy one: what all others are compared with.

    Unlike `NoisyBatches`, which adds new noise on every step, it takes noise that is there already.

    Parameters
    ----------
    noisy, clean : lists of arrays of shape (n, height, width, 1)
        For each patient noisy slices, near [0, 1], and the same without noise.
    size : int
        Edge of a patch in pixels.

    Returns
    -------
    function
        pairs(n, rng) -> (input, target, None), of shape (n, size, size, 1).

    Raises
    ------
    ValueError
        If there is no patient, one is no batch near [0, 1] or smaller than a patch, or the two do not match.

    References
    ----------
    Jain and Seung, "Natural image denoising with convolutional networks", NIPS 2008.

    Examples
    --------
    >>> ones = np.ones((1, 3, 80, 80, 1))
    >>> given, target, _ = clean_targets(ones, 0 * ones)(4, np.random.default_rng(0))
    >>> given.mean(), target.mean()
    (np.float32(1.0), np.float32(0.0))
    """
    both, size = _side_by_side(noisy, clean, size, ("noisy", "clean"))

    def pairs(n, rng):
        patches = draw_patches(both, size, n, rng)
        return patches[..., :1], patches[..., 1:], None

    return pairs


def noise2noise(first, second, size=64):
    """Learn one noisy image from another one of the same, whose noise is independent.

    If the noise has mean 0, the targets that an input can have are in the mean what clean targets are; so the squared
    error is smallest where the network returns what it would have learned from clean targets. The noise may be of
    any kind. Two halves of one scan, each reconstructed from every second view, serve as well (Noise2Inverse); then the
    network must also be asked for each half, and the mean of its answers taken.

    Parameters
    ----------
    first, second : lists of arrays of shape (n, height, width, 1)
        For each patient two noisy versions of the same slices, near [0, 1].
    size : int
        Edge of a patch in pixels.

    Returns
    -------
    function
        pairs(n, rng) -> (input, target, None), of shape (n, size, size, 1). Which version is the input, chance
        decides.

    Raises
    ------
    ValueError
        If there is no patient, one is no batch near [0, 1] or smaller than a patch, or the two do not match.

    References
    ----------
    Lehtinen et al., "Noise2Noise: learning image restoration without clean data", ICML 2018; Hendriksen, Pelt and
    Batenburg, "Noise2Inverse: self-supervised deep convolutional denoising for tomography", IEEE Trans. Computational
    Imaging 6, 2020.

    Examples
    --------
    >>> noisy = np.random.default_rng(0).normal(0.5, 0.1, (2, 3, 80, 80, 1))
    >>> noisy_input, target, _ = noise2noise(noisy[:1], noisy[1:])(4, np.random.default_rng(0))
    >>> noisy_input.shape == target.shape == (4, 64, 64, 1)
    True
    """
    both, size = _side_by_side(first, second, size, ("first", "second"))

    def pairs(n, rng):
        patches = draw_patches(both, size, n, rng)
        return *_in_random_order(patches, rng), None

    return pairs


def neighbouring_slices(noisy, size=64, *, tolerance=4.0):
    """Learn a slice from its neighbour, where both show the same: `noise2noise` with a single scan.

    Where the anatomy differs, the target would teach what is not there. So pixels count only where the two slices around the
    pair are alike: where their difference, blurred by 2 pixels, is at most `tolerance` times its median. The pair itself
    is not asked, or those pixels would be chosen whose noise is alike. The noise of neighbours must be independent;
    where slices overlap, it is not.

    Parameters
    ----------
    noisy : list of arrays of shape (n, height, width, 1)
        For each patient noisy slices in order, at least four, near [0, 1].
    size : int
        Edge of a patch in pixels.
    tolerance : float
        Above 0; the larger, the more pixels count.

    Returns
    -------
    function
        pairs(n, rng) -> (input, target, weight): of shape (n, size, size, 1), and the weight, 0 where slices differ
        and with mean 1 over the batch, of shape (n, size, size).

    Raises
    ------
    ValueError
        As `noise2noise`; if a patient has less than four slices, or `tolerance` is not above 0.

    References
    ----------
    Zhang, Liang, Zhao and Xing, "Noise2Context: context-assisted learning 3D thin-layer for low-dose CT", Medical Physics
    48, 2021, learn both neighbours of a slice at once. The mask is our own.

    Examples
    --------
    >>> noisy = np.random.default_rng(0).normal(0.5, 0.1, (1, 5, 80, 80, 1))
    >>> _, target, weight = neighbouring_slices(noisy)(4, np.random.default_rng(0))
    >>> target.shape, weight.shape, round(float(weight.mean()), 3)
    ((4, 64, 64, 1), (4, 64, 64), 1.0)
    """
    tolerance = check_number(tolerance, "tolerance", 1e-6)
    groups = []
    volumes, size = _volumes(noisy, size, "noisy")
    for images in volumes:
        if len(images) < 4:
            raise ValueError("noisy: expected at least four neighbouring slices of each patient")
        apart = images[3:] - images[:-3]
        apart = np.abs([cv2.GaussianBlur(one, (0, 0), 2.0) for one in apart])
        alike = apart <= tolerance * np.median(apart, axis=(1, 2), keepdims=True)
        groups.append(np.concatenate([images[1:-2], images[2:-1], alike[..., None]], axis=-1))

    def pairs(n, rng):
        patches = draw_patches(groups, size, n, rng)
        weight = patches[..., 2]
        return *_in_random_order(patches, rng), weight / max(weight.mean(), 1e-6)

    return pairs


def noise2void(noisy, size=64, *, share=1 / 16, radius=2):
    """Learn some pixels of a noisy image from their surroundings alone: each is hidden behind a neighbour's value.

    The network never sees the pixel that it shall return, so it cannot return its noise, if the noise of neighbours
    says nothing about it: *the noise must be independent from pixel to pixel*.

    Parameters
    ----------
    noisy : list of arrays of shape (n, height, width, 1)
        For each patient noisy slices, near [0, 1].
    size : int
        Edge of a patch in pixels.
    share : float
        Of pixels that are hidden, above 0, at most 0.25.
    radius : int
        A hidden pixel gets the value of another, at most so far away in row and column, which is seldom hidden, too.

    Returns
    -------
    function
        pairs(n, rng) -> (input, target, weight): of shape (n, size, size, 1), and the weight, 0 but where a pixel is
        hidden and with mean 1 over the batch, of shape (n, size, size).

    Raises
    ------
    ValueError
        As `noise2noise`; if `share` or `radius` is out of its range.

    References
    ----------
    Krull, Buchholz and Jug, "Noise2Void - learning denoising from single noisy images", CVPR 2019. They hide 1.5 % of the
    pixels of more and longer batches.

    Examples
    --------
    >>> noisy = np.random.default_rng(0).normal(0.5, 0.1, (1, 3, 80, 80, 1))
    >>> hidden, target, weight = noise2void(noisy)(4, np.random.default_rng(0))
    >>> bool(np.all((hidden != target)[..., 0] <= (weight > 0)))
    True
    """
    volumes, size = _volumes(noisy, size, "noisy")
    share = check_number(share, "share", 1e-6, 0.25)
    radius = check_whole(radius, "radius", 1, size // 2)
    around = np.mgrid[-radius : radius + 1, -radius : radius + 1].reshape(2, 1, 1, -1)
    around = around[..., around.any(axis=0)[0, 0]]
    count = max(1, round(share * size**2))

    def pairs(n, rng):
        target = draw_patches(volumes, size, n, rng)
        which, all_places = np.arange(n)[:, None], np.tile(np.arange(size**2), (n, 1))
        row, column = np.divmod(rng.permuted(all_places, axis=1)[:, :count], size)
        weight = np.zeros(target.shape[:3], np.float32)
        weight[which, row, column] = 1
        others = np.abs(np.stack([row, column])[..., None] + around)
        others = np.minimum(others, 2 * (size - 1) - others)  # mirrored at the edges
        lots = rng.random(others.shape[1:])
        lots += weight[which[..., None], others[0], others[1]]  # no value of a hidden pixel
        drawn = np.take_along_axis(others, lots.argmin(axis=-1)[None, ..., None], axis=-1)[..., 0]
        hidden = target.copy()
        hidden[which, row, column] = target[which, drawn[0], drawn[1]]
        return hidden, target, weight / weight.mean()

    return pairs


def noise2self(noisy, size=64, *, spacing=GRID_SPACING):
    """Learn some pixels of a noisy image from their surroundings alone: each is hidden behind its neighbours' mean.

    As `noise2void`, with the pixels of a grid, which is placed anew for each patch. *The noise must be independent
    from pixel to pixel.* What has learned in this way must be asked in this way: `models.j_invariant`.

    Parameters
    ----------
    noisy, size
        As for `noise2void`.
    spacing : int
        Distance of the pixels of the grid, at least 2.

    Returns
    -------
    function
        As of `noise2void`.

    Raises
    ------
    ValueError
        As `noise2noise`; if `spacing` is no whole number from 2 to `size`.

    References
    ----------
    Batson and Royer, "Noise2Self: blind denoising by self-supervision", ICML 2019. They also mix the noisy pixel into the
    answer where the strength of the noise is known.

    Examples
    --------
    >>> noisy = np.random.default_rng(0).normal(0.5, 0.1, (1, 3, 80, 80, 1))
    >>> _, _, weight = noise2self(noisy)(4, np.random.default_rng(0))
    >>> np.count_nonzero(weight, axis=(1, 2)).tolist()
    [256, 256, 256, 256]
    """
    volumes, size = _volumes(noisy, size, "noisy")
    spacing = check_whole(spacing, "spacing", 2, size)

    def pairs(n, rng):
        target = draw_patches(volumes, size, n, rng)
        hidden, weight = target.copy(), np.zeros(target.shape[:3], np.float32)
        for number in range(n):
            row, column = rng.integers(spacing, size=2)
            hidden[number] = hidden_grid(target[number, None], row, column, spacing)[0]
            weight[number, row::spacing, column::spacing] = 1
        return hidden, target, weight / weight.mean()

    return pairs


def neighbor2neighbor(noisy, size=64):
    """Learn one half-sized image from another, both picked out of the same noisy one: to be trained with its own loss.

    Of every 2 x 2 pixels one goes to the first image, one of its two neighbours to the second. The pixels lie side by
    side, so that both show nearly the same. *The noise must be independent from pixel to pixel.*

    Parameters
    ----------
    noisy : list of arrays of shape (n, height, width, 1)
        For each patient noisy slices, near [0, 1], of twice `size` at least.
    size : int
        Edge of the half-sized images in pixels, an even number.

    Returns
    -------
    function
        pairs(n, rng) -> (input, target, None) for `losses.neighbor2neighbor_loss`, each of 2n images: n half-sized images, then
        the upper left quarters of the patches that they were picked from. The target has three channels: the other
        half-sized image, and for the quarters which of their pixels the first and the second image consist of.

    Raises
    ------
    ValueError
        As `noise2noise`; if `size` is odd.

    References
    ----------
    Huang, Li, Jia, Lu and Liu, "Neighbor2Neighbor: self-supervised denoising from single noisy images", CVPR 2021.

    Examples
    --------
    >>> noisy = np.random.default_rng(0).normal(0.5, 0.1, (1, 3, 140, 140, 1))
    >>> images, target, _ = neighbor2neighbor(noisy)(4, np.random.default_rng(0))
    >>> images.shape, target.shape
    ((8, 64, 64, 1), (8, 64, 64, 3))
    """
    volumes, size = _volumes(noisy, size, "noisy", times=2)
    if size % 2:
        raise ValueError(f"size: expected an even number of pixels, got {size}")
    corners = np.array([[0, 0], [0, 1], [1, 1], [1, 0]])  # each lies beside the next one
    cells = 2 * np.indices((size, size))

    def pairs(n, rng):
        whole = draw_patches(volumes, 2 * size, n, rng)
        first = rng.integers(4, size=(n, size, size))
        second = (first + rng.choice([-1, 1], first.shape)) % 4
        which = np.arange(n)[:, None, None]
        half, masks = [], np.zeros((n, 2 * size, 2 * size, 2), np.float32)
        for number, choice in enumerate((first, second)):
            row, column = cells[:, None] + np.moveaxis(corners[choice], -1, 0)
            half.append(whole[which, row, column])
            masks[which, row, column, number] = 1
        target = np.zeros((2 * n, size, size, 3), np.float32)
        target[:n, ..., :1], target[n:, ..., 1:] = half[1], masks[:, :size, :size]
        return np.concatenate([half[0], whole[:, :size, :size]]), target, None

    return pairs


def sure(noisy, size=64, *, step=1e-3):
    """Learn from noisy images whose noise is Gaussian, white, and of known strength: to be trained with `losses.sure_loss`.

    Parameters
    ----------
    noisy, size
        As for `noise2void`.
    step : float
        How far the input is shaken, in grey levels, above 0.

    Returns
    -------
    function
        pairs(n, rng) -> (input, target, None), each of 2n images: noisy patches, then the same shaken at random; and the
        noisy patches again, then by what a change of the answer is multiplied: how each pixel was shaken, divided by
        the square of `step`. In single precision; a step so small is lost in bfloat16.

    Raises
    ------
    ValueError
        As `noise2noise`; if `step` is not above 0.

    References
    ----------
    Stein, "Estimation of the mean of a multivariate normal distribution", Annals of Statistics 9, 1981; Soltanayev and
    Chun, "Training deep learning based denoisers without ground truth data", NeurIPS 2018.

    Examples
    --------
    >>> noisy = np.random.default_rng(0).normal(0.5, 0.1, (1, 3, 80, 80, 1))
    >>> images, target, _ = sure(noisy)(4, np.random.default_rng(0))
    >>> np.allclose(images[4:] - images[:4], target[4:] * 1e-3**2, atol=1e-6)
    True
    """
    volumes, size = _volumes(noisy, size, "noisy")
    step = check_number(step, "step", 1e-6)

    def pairs(n, rng):
        patches = draw_patches(volumes, size, n, rng)
        direction = rng.standard_normal(patches.shape, dtype=np.float32)
        shaken = patches + np.float32(step) * direction
        return np.concatenate([patches, shaken]), np.concatenate([patches, direction / step]), None

    return pairs


def _volumes(patients, size, name, times=1):
    """Return checked patients and the size, of which `times` as much must fit into them, or raise ValueError."""
    if patients is None or not len(patients):
        raise ValueError(f"{name}: expected at least one patient")
    volumes = [check_images(images, name, NOISE_MARGIN) for images in patients]
    edge = min(min(images.shape[1:3]) for images in volumes)
    return volumes, check_whole(size, "size", 2, edge // times)


def _side_by_side(one, other, size, names):
    """Return patients whose channels are two versions of the same slices, and the size, or raise ValueError."""
    versions = [_volumes(patients, size, name)[0] for patients, name in zip((one, other), names)]
    shapes = [[images.shape for images in version] for version in versions]
    if shapes[0] != shapes[1]:
        raise ValueError(
            f"{names[1]}: expected the shapes of {names[0]}, {shapes[0]}, got {shapes[1]}"
        )
    return [np.concatenate(pair, axis=-1) for pair in zip(*versions)], int(size)


def _in_random_order(patches, rng):
    """The first two channels of each patch, half of them exchanged."""
    swap = rng.integers(2, size=(len(patches), 1, 1, 1)).astype(bool)
    first, second = patches[..., :1], patches[..., 1:2]
    return np.where(swap, second, first), np.where(swap, first, second)
