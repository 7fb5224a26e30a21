"""Networks (`networks`), denoisers made of them (`denoisers`) and of other denoisers (`wrappers`, `blind_spot`), and the
shipped ones (`pretrained`).
"""

from .blind_spot import GRID_SPACING, hidden_grid, j_invariant
from .denoisers import as_denoiser
from .networks import (
    conv_autoencoder,
    deep_dense_autoencoder,
    denoising_unet,
    dense_autoencoder,
    dense_network,
    split_autoencoder,
    strided_conv_autoencoder,
)
from .pretrained import WEIGHTS, pretrained_denoiser, pretrained_model, shipped
from .wrappers import GRAIN_STD, self_ensemble, spare_grain
