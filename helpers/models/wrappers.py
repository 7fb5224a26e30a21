"""Denoisers made of denoisers: one that spares grain, one that averages eight views."""

from dataclasses import replace

import numpy as np

from ..checks import check_number
from ..contract import about, checked, trusting
from ..hounsfield import WINDOW_WIDTH

GRAIN_STD = 7 / WINDOW_WIDTH  # chosen on the validation patients of `data.load_ct` (appendix A3)


def spare_grain(denoiser, std=GRAIN_STD):
    """Let a denoiser remove a little less, so that grain of the scan is not removed with the noise.

    A scan has noise of its own, its grain, which counts as clean. Where it is stronger than in the slices
    that a network has learned from, the network takes part of it for added noise. Of each image, only the
    share v / (v + std^2) of what the denoiser would remove is removed, v being the mean square of that:
    nearly all where noise is strong, and less the weaker it is. With the variance of the added noise in place
    of v this would be Wiener's factor for grain of standard deviation `std`; v is known, and a little larger.

    Parameters
    ----------
    denoiser : function
        From a noisy batch (n, height, width, 1) to a denoised one of the same shape.
    std : float
        Strength of the grain to be spared, in grey levels, at least 1e-6.

    Returns
    -------
    function
        A denoiser, too, with float32 results. It raises ValueError for a wrong shape or type, for values
        that noise cannot explain, and where the denoiser returns another shape.

    Raises
    ------
    ValueError
        If `std` is not a number of at least 1e-6.

    References
    ----------
    Wiener, Extrapolation, Interpolation, and Smoothing of Stationary Time Series, 1949; here with one
    factor for all frequencies.

    Examples
    --------
    >>> noisy = np.random.default_rng(0).normal(0.5, 0.01, (1, 64, 64, 1)).astype("float32")
    >>> flat = spare_grain(lambda images: np.full_like(images, 0.5), std=0.01)(noisy)
    >>> round(float(flat.std()), 3)  # what was removed is as strong as `std`: half of it is given back
    0.005
    """
    std, inner = check_number(std, "std", 1e-6), trusting(denoiser)

    def denoise(noisy):
        denoised = np.array(inner(noisy), np.float32)
        if denoised.shape != noisy.shape:
            raise ValueError(
                f"denoiser: expected images of shape {noisy.shape}, got {denoised.shape}"
            )
        for image, result in zip(noisy, denoised):
            removed = image - result
            variance = np.square(removed).mean()
            result[:] = image - removed * (variance / (variance + std**2))
        return denoised

    return checked(denoise, about(denoiser, "grain spared"))


def self_ensemble(denoiser):
    """Let a denoiser look at each image in eight ways, turned and mirrored, and average its answers.

    A network treats an image and its mirror image a little differently. What differs is error, and the
    mean has less of it. The price is eight times the time.

    Parameters
    ----------
    denoiser : function
        From a noisy batch (n, height, width, 1) to a denoised one of the same shape; it must accept
        an image that was turned by 90 degrees.

    Returns
    -------
    function
        A denoiser, too. It raises ValueError for a wrong shape or type, and for values that noise
        cannot explain.

    References
    ----------
    Timofte, Rothe and Van Gool, "Seven ways to improve example-based single image super resolution",
    CVPR 2016.

    Examples
    --------
    >>> from helpers.models import pretrained_denoiser
    >>> denoise = self_ensemble(pretrained_denoiser("ct_unet"))
    >>> denoise(np.zeros((1, 50, 60, 1), "float32")).shape
    (1, 50, 60, 1)
    """
    inner, known = trusting(denoiser), about(denoiser, "your function")

    def denoise(noisy):
        total = np.zeros_like(noisy)
        for turns in range(4):
            turned = np.ascontiguousarray(np.rot90(noisy, turns, (1, 2)))
            mirrored = np.ascontiguousarray(turned[:, :, ::-1])
            answers = inner(turned) + inner(mirrored)[:, :, ::-1]
            total += np.rot90(answers, -turns, (1, 2))
        return total / 8

    return checked(denoise, replace(known, label=f"{known.label}, 8 views"))
