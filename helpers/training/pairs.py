"""What a network learns from: functions that draw clean patches, and functions that spoil them.

draw(n, rng) -> clean patches (n, size, size, slices); corrupt(clean, rng) -> noisy ones of the same shape.
"""

import functools

import cv2
import numpy as np
import skimage.data

from ..checks import check_images, check_number, check_whole
from ..data.patches import draw_patches, resized
from ..hounsfield import WINDOW_WIDTH, window
from ..noise import add_correlated_noise, add_gaussian_noise, tissue_differences

_DENSE = -300  # HU: air and lung have less
SCAN_GRAIN = 12.6 / WINDOW_WIDTH, 18.9 / WINDOW_WIDTH  # of a scan at the usual dose, 13 to 19 HU


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
    sources = _sources(patients, size, slices)
    return lambda n, rng: draw_patches(sources, size, n, rng, slices)


def _sources(patients, size, slices):
    """Check patients; return their bodies at three scales."""
    bodies = [_body(check_images(images, "patients")) for images in patients]
    size = check_whole(size, "size", 1)
    check_whole(slices, "slices", 1, min(map(len, bodies)))
    sources = [resized(images, scale)[..., None] for scale in (1.0, 0.7, 0.5) for images in bodies]
    if any(min(images.shape[1:3]) < size for images in sources):
        raise ValueError(
            f"patients: expected bodies of at least {2 * size} pixels, "
            f"got {', '.join('{} x {}'.format(*images.shape[1:3]) for images in bodies)}"
        )
    return sources


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
        As `ct_patches`, and if a patch is larger than the smallest picture.

    References
    ----------
    van der Walt et al., "scikit-image: image processing in Python", PeerJ 2:e453, 2014, for the pictures.

    Examples
    --------
    >>> draw = varied_patches([np.ones((2, 128, 128, 1), "float32")])
    >>> draw(8, np.random.default_rng(0)).shape
    (8, 64, 64, 1)
    """
    with_pictures = _with_pictures(patients, size, slices)

    def draw(n, rng):
        patches = with_pictures(n, rng)
        patches = _usual_window(patches, rng, (n, 1, 1, 1))[0] + _grain(patches, rng)
        return patches.clip(0, 1).astype(np.float32)

    return draw


def diverse_patches(patients, size=64, *, slices=1, any_window=0.25):
    """As `varied_patches`, with any window, dark for bright, and drawings without any grain.

    So that no grey level is special, some patches of patients and all pictures are seen through a window of
    their own: half to four times the contrast, any brightness, inverted or not. Of single slices, an eighth
    are drawings (`dead_leaves`): flat or slowly changing, with sharp edges, and perfectly clean.

    Parameters
    ----------
    patients, size, slices
        As for `varied_patches`. Of several slices, all are of patients.
    any_window : float
        Share of the patches of patients with a window of their own, 0 to 1.

    Returns
    -------
    function
        draw(n, rng) -> patches of shape (n, size, size, slices), for `NoisyBatches`.

    Raises
    ------
    ValueError
        As `varied_patches`, and if `any_window` is not in [0, 1].

    Examples
    --------
    >>> draw = diverse_patches([np.ones((2, 128, 128, 1), "float32")])
    >>> draw(8, np.random.default_rng(0)).shape
    (8, 64, 64, 1)
    """
    with_pictures = _with_pictures(patients, size, slices)
    any_window = check_number(any_window, "any_window", 0, 1)

    def draw(n, rng):
        patches = with_pictures(n, rng)
        usual, _ = _usual_window(patches, rng, (n, 1, 1, 1))
        other = _any_window(patches, rng)
        free = rng.random((n, 1, 1, 1)) < any_window
        free[: _picture_count(n, slices)] = True
        patches = np.where(free, other, usual) + _grain(patches, rng)
        if slices == 1 and n >= 8:
            patches[-(n // 8) :] = dead_leaves(n // 8, size, rng)
        return patches.clip(0, 1).astype(np.float32)

    return draw


def scan_patches(patients, size=64, *, slices=1, grain=SCAN_GRAIN):
    """As `varied_patches`, with patches as grainy as a scan at the usual dose.

    A scan at a lower dose has more noise, and only its strength tells it from the grain. So all patches get about
    the same grain, 13 to 19 HU. This range was chosen on the validation patients, who have 17 HU where soft tissue is
    calm (`noise.tissue_differences`). The training patient has 11 HU, copies at 0.7 and 0.5 of the size 9 HU, and
    pictures none: what is missing is added, nearly white, blurred by 0.15 to 0.4 pixels. A patch that has more already
    gets no more, and where it is cut to [0, 1], black and white areas lose some.

    Parameters
    ----------
    patients, size, slices
        As for `varied_patches`.
    grain : (float, float)
        Lowest and highest standard deviation of all grain, in grey levels.

    Returns
    -------
    function
        draw(n, rng) -> patches of shape (n, size, size, slices), for `NoisyBatches`. Of single slices, a quarter are
        pictures.

    Raises
    ------
    ValueError
        As `varied_patches`; if `grain` is no such pair; or if a patient shows no soft tissue in two neighbouring
        slices whose grain could be measured.

    References
    ----------
    What a scan at the usual dose shows counts as clean in most work on low doses: Moen et al., "Low-dose CT image
    and projection dataset", Medical Physics 48, 2021.

    Examples
    --------
    >>> images = np.random.default_rng(0).normal(0.75, 0.01, (2, 128, 128, 1)).clip(0, 1)
    >>> scan_patches([images.astype("float32")], 32)(8, np.random.default_rng(0)).shape
    (8, 32, 32, 1)
    """
    if np.shape(grain) != (2,) or not 0 <= grain[0] <= grain[1]:
        raise ValueError(f"grain: expected two standard deviations, low and high, got {grain!r}")
    sources = _sources(patients, size, slices)
    pictures = _pictures_of(size, slices)
    own = [_grain_of(images) for images in sources]

    def one(number, n, rng):
        """Draw a patch, and tell the grain that it has already."""
        if number < _picture_count(n, slices):
            return draw_patches(pictures, size, 1, rng), 0.0
        index = rng.integers(len(sources))
        return draw_patches([sources[index]], size, 1, rng, slices), own[index]

    def draw(n, rng):
        patches = np.empty((n, size, size, slices), np.float32)
        for number, patch in enumerate(patches):
            clean, has = one(number, n, rng)
            clean, contrast = _usual_window(clean, rng, None)
            missing = np.sqrt(max(0, rng.uniform(*grain) ** 2 - (contrast * has) ** 2))
            sigma = rng.uniform(0.15, 0.4)
            none = np.zeros_like(clean)
            added = _each_slice(none, add_correlated_noise, missing, rng, sigma=sigma)
            patch[:] = (clean + added)[0]
        return patches.clip(0, 1)

    return draw


def _grain_of(images):
    """Measure the grain of a patient's slices where soft tissue is calm."""
    try:
        return float(tissue_differences(images).std())
    except ValueError as error:
        raise ValueError(
            "patients: expected soft tissue with weak noise in two neighbouring slices, of at least 48 pixels"
        ) from error


def dead_leaves(n, size, rng):
    """Draw images of ellipses that hide one another, as leaves on the ground do, on a slope of grey.

    There are 1 to 200 leaves of all sizes, each of its own grey. A slope of up to half the grey levels along each
    edge lies over the whole, and a blur of up to 1.5 pixels makes edges as soft as a scanner's.

    Parameters
    ----------
    n, size : int
        Number of images, and their edge in pixels.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray of shape (n, size, size, 1), float32
        In [0, 1], without any noise.

    Raises
    ------
    ValueError
        If `n` or `size` is no whole number of at least 1.

    References
    ----------
    Lee, Mumford and Huang, "Occlusion models for natural images", Int. J. Computer Vision 41, 2001; Achddou,
    Gousseau and Ladjal, "Synthetic images as a regularity prior for image restoration neural networks", SSVM
    2021, for training on them.

    Examples
    --------
    >>> dead_leaves(2, 32, np.random.default_rng(0)).shape
    (2, 32, 32, 1)
    """
    size = check_whole(size, "size", 1)
    return np.stack([_leaves(size, rng) for _ in range(check_whole(n, "n", 1))])


def _leaves(size, rng):
    edge = 2 * size  # drawn at twice the size, so that edges come out smooth
    image = np.full((edge, edge), rng.random(), np.float32)
    for _ in range(int(np.exp(rng.uniform(0, np.log(200))))):
        centre = rng.integers(0, edge, 2).tolist()
        long = edge / 2 * rng.uniform(0.1, 1) ** 2  # many small leaves, few large ones
        axes = max(1, round(long)), max(1, round(long * rng.uniform(0.3, 1)))
        cv2.ellipse(image, centre, axes, rng.uniform(0, 180), 0, 360, rng.random(), -1)
    slope = rng.uniform(-0.25, 0.25, (2, 1)) @ np.linspace(-1, 1, edge)[None]
    image = (image + slope[0] + slope[1][:, None]).astype(np.float32)
    image = cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(image, (0, 0), rng.uniform(0.1, 1.5)).clip(0, 1)[..., None]


def _with_pictures(patients, size, slices):
    """Patches of patients, of which, where slices are single, the first quarter is of pictures."""
    of_patients, pictures = ct_patches(patients, size, slices=slices), _pictures_of(size, slices)

    def draw(n, rng):
        patches = of_patients(n, rng)
        if count := _picture_count(n, slices):
            patches[:count] = draw_patches(pictures, size, count, rng)
        return patches

    return draw


def _picture_count(n, slices):
    """Of n patches the first quarter is of pictures, where slices are single: a picture has no neighbours."""
    return n // 4 if slices == 1 else 0


def _usual_window(patches, rng, shape):
    """Contrast and brightness as scanners differ, 0.7 to 1.3 and plus or minus 0.1: patches seen so, and the contrast.

    They are drawn for each patch, `shape` being (n, 1, 1, 1), or, where it is None, once for all.
    """
    contrast, middle = rng.uniform(0.7, 1.3, shape), rng.uniform(0.3, 0.5, shape)
    return contrast * (patches - 0.4) + middle, contrast


def _any_window(patches, rng):
    """Half to four times the contrast, inverted or not, and any brightness of the middle pixel."""
    each = (len(patches), 1, 1, 1)
    contrast = np.exp(rng.uniform(-np.log(2), np.log(4), each)) * rng.choice([-1, 1], each)
    row, column, slice_ = (edge // 2 for edge in patches.shape[1:])
    middle = patches[:, row, column, slice_, None, None, None]
    return contrast * (patches - middle) + rng.random(each)


def _grain(patches, rng):
    """Smooth noise of 0 to 0.014, blurred by 0.4 to 1 pixel, of the shape of the patches."""
    std, sigma = rng.uniform(0, 0.014, len(patches)), rng.uniform(0.4, 1.0, len(patches))
    return _each_slice(np.zeros_like(patches), add_correlated_noise, std, rng, sigma=sigma)


def _each_slice(patches, corrupt, std, rng, **settings):
    """Spoil each slice of a patch by itself; the noise of neighbouring slices is independent."""
    slices = np.split(patches, patches.shape[-1], axis=-1)
    return np.concatenate([corrupt(one, std, rng, **settings) for one in slices], axis=-1)


def _pictures_of(size, slices):
    """The pictures, for single slices only."""
    pictures = _pictures() if slices == 1 else []
    smallest = min((min(picture.shape[1:3]) for picture in pictures), default=size)
    if size > smallest:
        raise ValueError(
            f"size: expected at most {smallest} pixels, the smallest picture's, got {size}"
        )
    return pictures


@functools.cache
def _pictures():
    """The pictures in the package scikit-image, grey, at 0.6 of their size."""
    names = "astronaut brick camera cell chelsea clock coffee coins grass gravel hubble_deep_field "
    names += "immunohistochemistry moon page rocket text"
    pictures = []
    for name in names.split():
        picture = getattr(skimage.data, name)().astype(np.float32) / 255
        grey = picture if picture.ndim == 2 else picture[..., :3].mean(axis=-1)
        pictures.append(resized(grey[None], 0.6)[..., None])
    return pictures


def _body(images):
    """Cut away the rows and columns in which no slice shows anything but air and lung."""
    dense = (images[..., 0] > window(_DENSE)).any(axis=0)
    if not dense.any():
        return images
    rows, columns = (np.flatnonzero(dense.any(axis=axis)) for axis in (1, 0))
    return images[:, rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def unknown_noise(clean, rng):
    """Add Gaussian noise whose standard deviation, from 0 to 0.16, is drawn anew for each patch.

    Examples
    --------
    >>> unknown_noise(np.zeros((2, 8, 8, 5), "float32"), np.random.default_rng(0)).shape
    (2, 8, 8, 5)
    """
    return _each_slice(clean, add_gaussian_noise, rng.uniform(0, 0.16, len(clean)), rng)
