"""A Keras model as a denoiser: images of any size, in portions, and neighbouring slices."""

import numpy as np

from ..contract import About, checked

_PIXELS_AT_ONCE = 2**18  # one 512x512 slice, or many small images, go through a network together


def as_denoiser(model, label=None, *, source="", version=""):
    """Turn a Keras model into a denoiser for images of any size.

    Parameters
    ----------
    model : keras.Model
        From (n, height, width, slices) to (n, height, width, 1). A model of fixed size accepts that
        size only; for any other, images are padded by mirroring to a multiple of 8 pixels and cut
        back. It must accept multiples of 8, as a `denoising_unet` of up to three widths does.
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
    size, slices = model.input_shape[1:3], model.input_shape[3]
    beside = slices // 2

    def denoise(noisy):
        height, width = noisy.shape[1:3]
        if len(noisy) <= beside:
            raise ValueError(
                f"noisy: expected at least {beside + 1} neighbouring slices of one patient, "
                f"got {len(noisy)}"
            )
        more = ((0, 0), (0, -height % 8), (0, -width % 8), (0, 0))
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

    known = About(label or model.name, volume=slices > 1, source=source, version=version)
    return checked(denoise, known)
