"""Networks (`networks`), and the denoisers that are made of them (`denoisers`)."""

from .denoisers import (
    GRID_SPACING,
    WEIGHTS,
    as_denoiser,
    at_strength,
    hidden_grid,
    j_invariant,
    pretrained_denoiser,
    self_ensemble,
    shipped,
    spare_grain,
)
from .networks import (
    conv_autoencoder,
    deep_dense_autoencoder,
    denoising_unet,
    dense_autoencoder,
    dense_network,
    split_autoencoder,
    strided_conv_autoencoder,
)
