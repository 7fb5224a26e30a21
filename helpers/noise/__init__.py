"""Noise: corruptions of clean images, and an estimate of the noise that a CT slice carries."""

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
