"""Noise: corruptions of clean images, the noise of a scan, its spectrum, and an estimate of what a slice carries."""

from .images import (
    add_correlated_noise,
    add_gaussian_noise,
    add_poisson_noise,
    add_salt_and_pepper_noise,
    add_speckle_noise,
    occlude,
    occlude_box,
)
from .projections import (
    BODY_MM,
    KERNELS,
    WATER,
    add_ct_noise,
    ct_noise,
    kernel_response,
    overlapped,
    project,
)
from .spectrum import mean_frequency, power_spectrum, radial_spectrum
from .tissue import tissue_differences, tissue_std
