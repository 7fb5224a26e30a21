"""Training: the loop, the pairs that a network learns from, and the shipped networks' recipes and weights."""

from .loop import Batches, NoisyBatches, fit, warmup_cosine
from .losses import negative_psnr, neighbor2neighbor_loss, sure_loss
from .pairs import (
    ct_patches,
    dead_leaves,
    diverse_patches,
    scan_patches,
    unknown_noise,
    varied_patches,
)
from .recipes import RECIPES, STEPS_PER_EPOCH, Recipe, patches_seen, stages
from .recorruption import recorrupted
from .scanner import scanner_noise, unknown_scanner_noise
from .selfsupervised import (
    clean_targets,
    neighbor2neighbor,
    neighbouring_slices,
    noise2noise,
    noise2self,
    noise2void,
    sure,
)
from .weights import build_weights, validation_psnr
