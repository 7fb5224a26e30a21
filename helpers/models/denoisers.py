"""A Keras model as a denoiser: images of any size, in portions, and neighbouring slices."""

import numpy as np

from ..contract import About, checked

MULTIPLE = 8  # pixels: images are padded to a multiple of it, also where a network needs less
_LARGEST = 256  # pixels: no network needs more
_PIXELS_AT_ONCE = 2**18  # one 512x512 slice, or many small images, go through a network together


def as_denoiser(model, label=None, *, source="", version=""):
    """Turn a Keras model into a denoiser for images of any size.

    Parameters
    ----------
    model : keras.Model
        From (n, height, width, slices) to (n, height, width, 1). A model of fixed size accepts that
        size only; for any other, images are padded by mirroring to a multiple of 8 pixels, or of as
        many as the model needs (`multiple_of`), and cut back.
    label, source, version : str
        What `contract.About` is to say of it; the label is the model's name by default.

    Returns
    -------
    function
        From a noisy batch (n, height, width, 1), values near [0, 1], to a denoised one, float32. Where the
        model sees several slices, the batch holds the neighbouring slices of one patient in order, and beyond
        the first and the last one the volume is mirrored. Images go through in small portions, so that memory
        does not grow with their number. It raises ValueError for a wrong shape or type, for values that noise
        cannot explain, and for fewer slices than a model of several slices needs.

    Raises
    ------
    ValueError
        If the model is no denoiser of images, as `multiple_of` says.

    References
    ----------
    keras.Model.predict_on_batch.

    Examples
    --------
    >>> from helpers.models import denoising_unet
    >>> denoise = as_denoiser(denoising_unet((4, 8), (1, 1)))
    >>> denoise(np.zeros((3, 21, 30, 1), "float32")).shape
    (3, 21, 30, 1)
    """
    multiple = multiple_of(model)
    size, slices = model.input_shape[1:3], model.input_shape[3]
    beside = slices // 2

    def denoise(noisy):
        height, width = noisy.shape[1:3]
        if len(noisy) <= beside:
            raise ValueError(
                f"noisy: expected at least {beside + 1} neighbouring slices of one patient, "
                f"got {len(noisy)}"
            )
        more = ((0, 0), (0, -height % multiple), (0, -width % multiple), (0, 0))
        if size == (height, width):
            more = ((0, 0),) * 4
        elif size != (None, None):
            raise ValueError(
                f"noisy: expected images of {size[0]} x {size[1]} pixels, got {height} x {width}"
            )
        at_once = max(1, _PIXELS_AT_ONCE // (height * width))
        order = np.pad(np.arange(len(noisy)), beside, "reflect")  # mirrored beyond both ends
        windows = np.lib.stride_tricks.sliding_window_view(order, slices)
        denoised = np.empty_like(noisy)
        for start in range(0, len(noisy), at_once):
            portion = noisy[windows[start : start + at_once], ..., 0]  # (n, slices, height, width)
            portion = np.pad(np.moveaxis(portion, 1, -1), more, "symmetric")
            result = np.asarray(model.predict_on_batch(portion))
            denoised[start : start + at_once] = result[:, :height, :width]
        return denoised

    known = About(label or model.name, neighbours=beside, source=source, version=version)
    return checked(denoise, known)


def multiple_of(model, name="model"):
    """Find the smallest multiple of 8 pixels whose multiples a network accepts as height and width.

    Parameters
    ----------
    model : keras.Model
        From (n, height, width, slices) to (n, height, width, 1). For an object that cannot tell the shape
        of its output, such as a network of another library, the answer is 8.
    name : str or Path
        How the caller calls the model.

    Returns
    -------
    int
        8 for networks that halve images up to three times, 16 for four times, and so on, at most 256.

    Raises
    ------
    ValueError
        If the model does not make one image of an odd number of slices, or not of the same size, or is not built.

    References
    ----------
    keras.Layer.compute_output_shape.

    Examples
    --------
    >>> from helpers.models import denoising_unet
    >>> multiple_of(denoising_unet((4, 4), (1, 1))), multiple_of(denoising_unet((4, 4, 4, 4), (1, 1, 1, 1)))
    (8, 16)
    """
    if not hasattr(model, "compute_output_shape"):
        return MULTIPLE
    for multiple in range(MULTIPLE, _LARGEST + 1, MULTIPLE):
        given, made = _shapes(model, multiple)
        if made and given[3] % 2 and made == (*given[:3], 1):
            return multiple
    raise ValueError(
        f"{name}: expected a denoiser, from (n, height, width, slices), 1 or an odd number of neighbouring slices, "
        f"to (n, height, width, 1), got a network from {given} to {made}"
    )


def _shapes(model, edge):
    """Return the shape of an image that is an edge high and three wide, and of what a model makes of it, if it can."""
    given = "no known shape"
    try:
        given = model.input_shape
        _, height, width, slices = given
        given = (1, height or edge, width or 3 * edge, slices)
        return given, tuple(model.compute_output_shape(given))
    # It is not built, takes several inputs, or images of other kinds or sizes; Keras raises many kinds.
    except Exception:
        return given, None
