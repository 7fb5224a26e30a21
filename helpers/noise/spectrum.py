"""The power spectrum of noise: how much of it is coarse, how much is fine."""

import numpy as np

from ..checks import check_images


def power_spectrum(noise):
    """Estimate the noise power spectrum from images of nothing but noise.

    Parameters
    ----------
    noise : array of shape (n, height, width, 1)
        Draws of the noise, with mean 0; the more, the smoother the estimate.

    Returns
    -------
    ndarray of shape (height, width), float64
        Mean of |FFT|^2, with frequency 0 in the corner, not divided by the number of pixels: white noise of
        standard deviation s has s^2 times height times width everywhere. `baselines.bm3d` takes it like this.

    Raises
    ------
    ValueError
        If `noise` is no batch of finite images.

    References
    ----------
    ICRU Report 87, "Radiation dose and image-quality assessment in computed tomography", 2012, for the noise
    power spectrum in CT.

    Examples
    --------
    >>> white = np.random.default_rng(0).normal(0, 0.1, (50, 16, 16, 1)).astype("float32")
    >>> round(float(power_spectrum(white).mean()) / 16**2, 3)
    0.01
    """
    noise = check_images(noise, "noise", np.inf)
    return np.square(np.abs(np.fft.fft2(noise[..., 0].astype(np.float64)))).mean(axis=0)
