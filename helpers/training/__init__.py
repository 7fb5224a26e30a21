"""Training: the loop (`loop`), what a network learns from (`pairs`), the shipped networks' recipes (`recipes`), and the command that follows one (`weights`)."""

from .loop import NoisyBatches, ProgressCallback, fit, negative_psnr, warmup_cosine
from .pairs import ct_patches, known_noise, unknown_noise, varied_patches
from .recipes import RECIPES, STEPS_PER_EPOCH, Recipe, patches_seen, stages
from .weights import build_weights

__all__ = [
    "RECIPES",
    "STEPS_PER_EPOCH",
    "NoisyBatches",
    "ProgressCallback",
    "Recipe",
    "build_weights",
    "ct_patches",
    "fit",
    "known_noise",
    "negative_psnr",
    "patches_seen",
    "stages",
    "unknown_noise",
    "varied_patches",
    "warmup_cosine",
]
