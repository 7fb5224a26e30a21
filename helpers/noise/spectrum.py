"""The power spectrum of noise: how much of it is coarse, how much is fine."""

import numpy as np

from ..checks import check_images, check_whole


def power_spectrum(noise):
    """Estimate the noise power spectrum from images of nothing but noise.

    Parameters
    ----------
    noise : array of shape (n, height, width, 1)
        Draws of the noise, with mean 0; the more, the smoother the estimate.

    Returns
    -------
    ndarray of shape (height, width), float64
        Mean of `|FFT|^2`, with frequency 0 in the corner, not divided by the number of pixels: white noise of
        standard deviation s has s^2 times height times width everywhere. `baselines.bm3d` takes it like this.

    Raises
    ------
    ValueError
        If `noise` is no batch of finite images.

    References
    ----------
    ICRU Report 87, "Radiation dose and image-quality assessment in computed tomography", 2012, for the noise
    power spectrum in CT; Friedman et al., "A simple approach to measure computed tomography (CT) modulation transfer
    function (MTF) and noise-power spectrum (NPS) using the American College of Radiology (ACR) accreditation
    phantom", Medical Physics 40, 2013, for its measurement in the phantom of the ACR.

    Examples
    --------
    >>> white = np.random.default_rng(0).normal(0, 0.1, (50, 16, 16, 1)).astype("float32")
    >>> round(float(power_spectrum(white).mean()) / 16**2, 3)
    0.01
    """
    return _powers(check_images(noise, "noise", np.inf)).mean(axis=0)


def radial_spectrum(spectrum, *, bins=16):
    """Average a power spectrum over all directions.

    Parameters
    ----------
    spectrum : array of shape (height, width)
        As `power_spectrum` returns it.
    bins : int
        So many rings of equal width between frequency 0 and 0.5, at least 1 and few enough that none is empty.

    Returns
    -------
    frequency : ndarray of shape (bins,)
        The mean frequency of each ring, in cycles per pixel; divided by the pixel's edge in mm, it is in cycles
        per mm. Frequency 0 itself is left out.
    power : ndarray of shape (bins,)
        Mean power of each ring, divided by the number of pixels: for white noise, its variance.

    Raises
    ------
    ValueError
        If `spectrum` is not two-dimensional, or a ring is empty.

    References
    ----------
    As `power_spectrum`.

    Examples
    --------
    >>> frequency, power = radial_spectrum(np.full((32, 32), 32 * 32 * 0.04), bins=4)
    >>> power.round(3).tolist()
    [0.04, 0.04, 0.04, 0.04]
    """
    spectrum = np.asarray(spectrum, np.float64)
    if spectrum.ndim != 2:
        raise ValueError(f"spectrum: expected shape (height, width), got {spectrum.shape}")
    bins = check_whole(bins, "bins", 1)
    frequency = _frequency(spectrum.shape)
    inside = (frequency > 0) & (frequency < 0.5)
    ring = (frequency[inside] * 2 * bins).astype(int)
    count = np.bincount(ring, minlength=bins)
    if not count.all():
        raise ValueError(f"bins: expected fewer for {spectrum.shape}, got {bins}: a ring is empty")
    sums = (np.bincount(ring, values[inside], bins) for values in (frequency, spectrum))
    frequency, power = (total / count for total in sums)
    return frequency, power / spectrum.size


def mean_frequency(noise):
    """Tell in one number how fine the noise in each image is: the mean frequency of its power.

    The mean is taken along the spectrum's average over all directions, as `radial_spectrum` shows it, so that
    every frequency counts alike, not every pixel of the two-dimensional spectrum.

    Parameters
    ----------
    noise : array of shape (n, height, width, 1)
        Noise, or an error; the mean of each image does not count.

    Returns
    -------
    ndarray of shape (n,), float64
        In cycles per pixel: 0.25 for white noise, less the blotchier it is, 0 where there is none.

    Raises
    ------
    ValueError
        If `noise` is no batch of finite images.

    References
    ----------
    Samei et al., "Performance evaluation of computed tomography systems: Summary of AAPM Task Group 233",
    Medical Physics 46, 2019, for the mean frequency of the noise power spectrum.

    Examples
    --------
    >>> white = np.random.default_rng(0).normal(0, 0.1, (1, 128, 128, 1))
    >>> mean_frequency(white).round(2).tolist()
    [0.25]
    """
    noise = check_images(noise, "noise", np.inf)
    power = _powers(noise)
    frequency = _frequency(noise.shape[1:3])
    inside = (frequency > 0) & (frequency < 0.5)
    rings = (power[:, inside] / frequency[inside]).sum(axis=1)  # higher, larger rings
    tiny = np.finfo(np.float32).eps ** 2 * power.sum(axis=(1, 2)) / noise[0].size  # rounding errors
    return np.divide(
        power[:, inside].sum(axis=1), rings, out=np.zeros_like(rings), where=rings > tiny
    )


def _powers(noise):
    """Square of each image's Fourier transform, with frequency 0 in the corner."""
    return np.square(np.abs(np.fft.fft2(noise[..., 0].astype(np.float64))))


def _frequency(shape):
    """Distance of each entry of a Fourier transform from frequency 0, in cycles per pixel."""
    rows, columns = map(np.fft.fftfreq, shape)
    return np.hypot(rows[:, None], columns[None])
