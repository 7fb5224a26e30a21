"""The noise of a CT scanner: drawn where it arises, in the projections, and reconstructed with a kernel."""

from numbers import Real

import numpy as np
from skimage.transform import iradon, radon

from ..checks import check_number, check_rng, check_whole

WATER = 0.0192  # attenuation of water at 70 keV, per mm (NIST, XCOM)
BODY_MM = (350.0, 250.0)  # axes of the body of water into which crops are placed, across and along
KERNELS = {  # what multiplies the ramp; x is the frequency, 1 at the cut-off
    "ramp": np.ones_like,
    "shepp-logan": lambda x: np.sinc(x / 2),
    "cosine": lambda x: np.cos(np.pi * x / 2),
    "hamming": lambda x: 0.54 + 0.46 * np.cos(np.pi * x),
    "hann": lambda x: 0.5 + 0.5 * np.cos(np.pi * x),
}


def add_ct_noise(
    hu, pixel_mm, photons, rng, *, kernel="hann", cutoff=1.0, electronic=10, views=None, body=None
):
    """Add the noise that a CT scan at a given dose would have: more where rays are weakened more, and streaky.

    Each slice is projected, as parallel X-rays would see it. A detector reading of N photons has a logarithm of
    variance (N + electronic^2) / N^2. Noise with this variance is drawn, and reconstructed *alone* by filtered
    back projection, then added: the slice keeps its own sharpness and its own grain.

    Where fewer than some hundred photons arrive, the logarithm has another variance, and a mean of its own: such photon
    starvation is not simulated, and streaks come out too strong. Outside the largest circle in the square that
    is projected there is neither attenuation nor noise.

    What it leaves out as well: bow-tie filter, beam hardening, scatter, tube-current modulation, and iterative
    reconstruction, whose noise has another texture.

    Parameters
    ----------
    hu : array of shape (n, height, width)
        Slices in Hounsfield units, of more than one pixel.
    pixel_mm : float
        Edge of a pixel, 0.1 to 5 mm.
    photons : float
        Photons per detector reading before the body, at least 1; chest scans have some 1e4 to 1e6.
    rng : numpy.random.Generator
        Source of randomness.
    kernel : str
        Reconstruction kernel: one of "ramp", "shepp-logan", "cosine", "hamming", "hann", from sharp to smooth.
    cutoff : float
        Where the kernel ends, as a share of the highest frequency, 0.01 to 1.
    electronic : float
        Standard deviation of the electronic noise, in photons.
    views : int, optional
        Number of directions; by default as many as the projected square has pixels along an edge.
    body : (float, float), optional
        For crops: axes in mm, across and along, at most 2000, of an ellipse of water in whose middle the slice is
        placed, so that the paths of the rays are as long as a body's; such as `BODY_MM`. Corners may stick out.
        By default the slice is all that there is.

    Returns
    -------
    ndarray of the same shape, float32
        Hounsfield units.

    Raises
    ------
    ValueError
        If `hu` is no stack of slices in Hounsfield units, the kernel unknown, a number out of its range, or the
        body smaller than the slice. Values that all lie from 0 to 256 are taken for grey levels, even if they are
        those of a small crop of soft tissue.

    References
    ----------
    Massoumzadeh et al., "Validation of CT dose-reduction simulation", Medical Physics 36, 2009; Yu et al.,
    "Development and validation of a practical lower-dose-simulation tool for optimizing computed tomography
    scan protocols", J. Computer Assisted Tomography 36, 2012; Zeng et al., "A simple low-dose x-ray CT
    simulation from high-dose scan", IEEE Trans. Nuclear Science 62, 2015.

    Examples
    --------
    >>> water = np.zeros((1, 64, 64))
    >>> noisy = add_ct_noise(water, 3.0, 1e5, np.random.default_rng(0))
    >>> noisy.shape, bool(noisy.std() > 1)
    ((1, 64, 64), True)
    """
    _check_dose(photons, rng, kernel, cutoff, electronic)  # before the projection, which takes long
    sinograms, shape = project(hu, pixel_mm, views=views, body=body)
    noise = ct_noise(
        sinograms,
        shape,
        pixel_mm,
        photons,
        rng,
        kernel=kernel,
        cutoff=cutoff,
        electronic=electronic,
    )
    return np.asarray(hu, np.float32) + noise


def project(hu, pixel_mm, *, views=None, body=None):
    """Project slices along parallel rays: the costly half of `add_ct_noise`, needed once for each slice.

    Parameters
    ----------
    hu, pixel_mm, views, body
        As for `add_ct_noise`.

    Returns
    -------
    sinograms : ndarray of shape (n, detectors, views), float32
        Line integrals of the attenuation; exp of minus them is the share of photons that comes through.
    shape : (int, int)
        Height and width of the slices.

    Raises
    ------
    ValueError
        As `add_ct_noise`.

    Examples
    --------
    >>> sinograms, shape = project(np.zeros((1, 64, 64)), 3.0, views=90)
    >>> sinograms.shape, round(float(sinograms[0, 32].mean()), 1)  # 192 mm of water
    ((1, 64, 90), 3.7)
    """
    hu, pixel_mm = _checked_hu(hu), _checked_pixel(pixel_mm)
    height, width = hu.shape[1:]
    edge = max(height, width)
    water = np.zeros((edge, edge))
    if body is not None:
        axes = _two(body, "body: expected axes in mm, across and along")
        across, along = (check_number(axis, "body", 1, 2000) / pixel_mm for axis in axes)
        if across < width or along < height:
            raise ValueError(
                "body: expected one larger than the slice, "
                f"{width * pixel_mm:.0f} mm across and {height * pixel_mm:.0f} mm along, got {body!r}"
            )
        edge = int(np.ceil(1.04 * max(across, along)))  # a little air around
        y, x = np.mgrid[0:edge, 0:edge] - (edge - 1) / 2
        water = ((2 * x / across) ** 2 + (2 * y / along) ** 2 <= 1) * WATER
    top, left = (edge - height) // 2, (edge - width) // 2
    y, x = np.mgrid[0:edge, 0:edge] - edge // 2
    seen = x**2 + y**2 <= (edge // 2) ** 2  # the scanner's field of view
    views = edge if views is None else check_whole(views, "views", 1, 100_000)
    angles = np.linspace(0, 180, views, endpoint=False)
    sinograms = []
    for image in hu:
        attenuation = water.copy()
        inside = WATER * np.maximum(0, 1 + image / 1000)
        attenuation[top : top + height, left : left + width] = inside
        sinograms.append(radon(attenuation * seen, angles, circle=True) * pixel_mm)
    return np.stack(sinograms).astype(np.float32), (height, width)


def ct_noise(sinograms, shape, pixel_mm, photons, rng, *, kernel="hann", cutoff=1.0, electronic=10):
    """Draw noise for slices that were projected: the other half of `add_ct_noise`.

    Parameters
    ----------
    sinograms, shape
        As `project` returns them; a smaller shape gives the middle of the slices.
    pixel_mm, photons, rng, kernel, cutoff, electronic
        As for `add_ct_noise`.

    Returns
    -------
    ndarray of shape (n, height, width), float32
        Noise in Hounsfield units, with mean 0.

    Raises
    ------
    ValueError
        As `add_ct_noise`; and if `sinograms` and `shape` are not as `project` returns them.

    Examples
    --------
    >>> sinograms, shape = project(np.zeros((1, 64, 64)), 3.0, views=90)
    >>> ct_noise(sinograms, shape, 3.0, 1e5, np.random.default_rng(0)).shape
    (1, 64, 64)
    """
    sinograms, pixel_mm = _checked_sinograms(sinograms), _checked_pixel(pixel_mm)
    _check_dose(photons, rng, kernel, cutoff, electronic)
    detectors, views = sinograms.shape[1:]
    window = kernel_response(kernel, np.fft.rfftfreq(2 * detectors), cutoff)[:, None]
    angles = np.linspace(0, 180, views, endpoint=False)
    height, width = (
        check_whole(length, "shape", 1, detectors)
        for length in _two(shape, "shape: expected height and width in pixels")
    )
    # No more is reconstructed than is asked for; the axis stays where it is.
    edge = max(height, width) + 1
    top, left = (
        (detectors - length) // 2 - detectors // 2 + edge // 2 for length in (height, width)
    )
    settings = {"filter_name": "ramp", "circle": False, "output_size": edge}
    y, x = np.mgrid[0:edge, 0:edge] - edge // 2
    seen = x**2 + y**2 <= (detectors // 2) ** 2
    noise = np.empty((len(sinograms), height, width), np.float32)
    for index, sinogram in enumerate(sinograms):
        counts = photons * np.exp(-sinogram.astype(np.float64))
        readings = np.sqrt(counts + electronic**2) / counts * rng.standard_normal(counts.shape)
        smooth = np.fft.irfft(
            np.fft.rfft(readings, 2 * detectors, axis=0) * window, 2 * detectors, axis=0
        )
        image = iradon(smooth[:detectors], angles, **settings) * seen
        image = image[top : top + height, left : left + width]
        noise[index] = image * (1000 / WATER / pixel_mm)
    return noise


def overlapped(noise, correlation):
    """Make the noise of neighbouring slices alike, as where slices overlap and share X-rays.

    Each slice gets a mixture of its own noise and the next one's.

    Parameters
    ----------
    noise : array of shape (n + 1, height, width)
        Independent noise of equal strength, such as `ct_noise` draws.
    correlation : float
        Of neighbouring slices, 0 to 0.5; slices further apart stay independent.

    Returns
    -------
    ndarray of shape (n, height, width)
        As strong as before.

    Raises
    ------
    ValueError
        If there are less than two slices, or `correlation` is not in [0, 0.5].

    References
    ----------
    A moving average of order 1: Box and Jenkins, Time Series Analysis, 1970.

    Examples
    --------
    >>> noise = overlapped(np.random.default_rng(0).normal(0, 1, (3, 200, 200)), 0.3)
    >>> bool(abs(np.mean(noise[0] * noise[1]) - 0.3) < 0.02), len(noise)
    (True, 2)
    """
    correlation = check_number(correlation, "correlation", 0, 0.5)
    if len(noise) < 2:
        raise ValueError(f"noise: expected at least two slices, got {len(noise)}")
    angle = np.arcsin(2 * correlation) / 2
    return np.cos(angle) * noise[:-1] + np.sin(angle) * noise[1:]


def kernel_response(kernel, frequency, cutoff=1.0):
    """Return what a reconstruction kernel multiplies the ramp by.

    A kernel filters the columns of the sinogram, or, afterwards, the slice in all directions: the same, by the
    projection-slice theorem.

    Parameters
    ----------
    kernel, cutoff
        As for `add_ct_noise`.
    frequency : array
        In cycles per pixel; 0.5 is the highest that pixels can show.

    Returns
    -------
    ndarray of the same shape
        1 at frequency 0, and 0 beyond the cut-off.

    Raises
    ------
    ValueError
        If the kernel is unknown; the known ones are listed. If `cutoff` is not in [0.01, 1].

    References
    ----------
    Kak and Slaney, Principles of Computerized Tomographic Imaging, 1988, chapter 3.

    Examples
    --------
    >>> kernel_response("hann", np.array([0, 0.125, 0.25, 0.4]), cutoff=0.5).round(2).tolist()
    [1.0, 0.5, 0.0, 0.0]
    """
    if not isinstance(kernel, str) or kernel not in KERNELS:
        raise ValueError(f"kernel: expected one of {', '.join(KERNELS)}, got {kernel!r}")
    share = np.asarray(frequency) / 0.5 / check_number(cutoff, "cutoff", 0.01, 1)
    return np.where(share <= 1, KERNELS[kernel](np.minimum(share, 1)), 0.0)


def _checked_hu(hu):
    """Return slices in Hounsfield units as float32, or raise ValueError."""
    hu = _numbers(hu, "hu: expected slices of shape (n, height, width)")
    if hu.ndim != 3 or 0 in hu.shape or hu.shape[1:] == (1, 1):
        raise ValueError(
            "hu: expected slices of shape (n, height, width), of more than one pixel, "
            f"got shape {hu.shape}"
        )
    hu = hu.astype(np.float32)
    if not np.isfinite(hu).all():
        raise ValueError("hu: expected finite Hounsfield units, got NaN or infinity")
    low, high = float(hu.min()), float(hu.max())
    if (low >= 0 and 0 < high <= 256) or (-2 <= low < high <= 2):  # a constant 0 is water
        raise ValueError(
            f"hu: expected Hounsfield units, where air is -1000, got values from {low:g} to {high:g}; "
            "`hounsfield.unwindow` turns grey levels into them"
        )
    if high > 32_767:
        raise ValueError(
            f"hu: expected Hounsfield units, at most 32767, got values from {low:g} to {high:g}; "
            "a file's slope and intercept turn stored values into them"
        )
    return hu


def _checked_sinograms(sinograms):
    """Return sinograms as an array, or raise ValueError."""
    sinograms = _numbers(sinograms, "sinograms: expected shape (n, detectors, views)")
    if sinograms.ndim != 3 or 0 in sinograms.shape or sinograms.shape[1] == 1:
        raise ValueError(
            "sinograms: expected shape (n, detectors, views), of more than one detector, "
            f"got shape {sinograms.shape}"
        )
    low, high = float(sinograms.min()), float(sinograms.max())
    if not (low >= -1 and high <= 600):  # NaN, too; a measured one is a little below 0 in air
        raise ValueError(
            "sinograms: expected line integrals of the attenuation, from 0 to 600, "
            f"got values from {low:g} to {high:g}"
        )
    return sinograms


def _checked_pixel(pixel_mm):
    """Return the edge of a pixel as float, or raise ValueError."""
    known = isinstance(pixel_mm, Real)
    if known and 0.1 <= pixel_mm <= 5:
        return float(pixel_mm)
    units = {"metres": 1e3, "micrometres": 1e-3}
    guesses = [name for name, in_mm in units.items() if known and 0.1 <= pixel_mm * in_mm <= 5]
    raise ValueError(
        f"pixel_mm: expected the edge of a pixel in millimetres, 0.1 to 5, got {pixel_mm!r}"
        + "".join(f", which looks like {name}" for name in guesses)
    )


def _check_dose(photons, rng, kernel, cutoff, electronic):
    """Raise ValueError unless noise can be drawn like this."""
    for value, name, low in ((photons, "photons", 1), (electronic, "electronic", 0)):
        if not isinstance(value, Real) or not low <= value < np.inf:
            raise ValueError(f"{name}: expected a finite number of at least {low}, got {value!r}")
    check_rng(rng)
    kernel_response(kernel, 0, cutoff)


def _numbers(values, expected):
    """Return an array of real numbers, or raise ValueError."""
    try:
        array = np.asarray(values)
    except ValueError:
        raise ValueError(f"{expected}, got some of different sizes") from None
    if array.dtype.kind not in "iuf":
        raise ValueError(f"{expected}, got no real numbers but {array.dtype}")
    return array


def _two(pair, expected):
    """Return a pair, or raise ValueError."""
    try:
        one, other = pair
    except (TypeError, ValueError):
        raise ValueError(f"{expected}, got {pair!r}") from None
    return one, other
