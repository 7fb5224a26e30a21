"""Noise: corruptions of clean images, the noise of a scan, its spectrum, and an estimate of what a slice carries."""

from .ct import tissue_std
from .images import (
    add_correlated_noise,
    add_gaussian_noise,
    add_poisson_noise,
    add_salt_and_pepper_noise,
    add_speckle_noise,
    occlude,
    occlude_box,
)
from .projections import BODY_MM, KERNELS, add_ct_noise, ct_noise, project
from .spectrum import power_spectrum
