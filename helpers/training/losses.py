"""Losses: of a denoised batch beside its target, one value for each image or pair of images; on any backend of Keras."""

from .._keras import keras
from ..checks import check_number


def negative_psnr(clean, denoised, *, floor=1e-4):
    """Loss: minus the PSNR of each image; what the comparison measures, made trainable.

    Each image counts alike, whether its noise is weak or strong. The mean squared or absolute error
    would be ruled by the noisiest images of a batch.

    Parameters
    ----------
    clean, denoised : tensors of shape (n, height, width, 1)
        Clean images in [0, 1] and what a network made of their noisy versions; any backend of Keras.
    floor : float
        Added to the squared error, so that images of hardly any noise do not rule the batch: with 1e-4 the
        loss is never below -40.

    Returns
    -------
    tensor of shape (n,)
        dB, of which Keras takes the mean.

    References
    ----------
    Chen et al., "Simple baselines for image restoration", ECCV 2022, and its code, for PSNR as a loss.

    Examples
    --------
    >>> import numpy as np
    >>> images = np.zeros((1, 8, 8, 1), "float32")
    >>> np.asarray(negative_psnr(images, images + 0.1)).round(1)
    array([-20.], dtype=float32)
    """
    error = keras.ops.mean(keras.ops.square(denoised - clean), axis=(1, 2, 3))
    return 10 * keras.ops.log10(error + floor)


def neighbor2neighbor_loss(target, denoised, *, gamma=1.0):
    """Loss of `selfsupervised.neighbor2neighbor`: squared error between the half-sized images, less what really differs.

    The two show places side by side, so that a perfect answer to the first differs from the second by more than
    noise. How much, the same two pictures of the denoised patch tell; its upper left quarter is enough.

    Parameters
    ----------
    target, denoised : tensors of shapes (2n, size, size, 3) and (2n, size, size, 1)
        As `selfsupervised.neighbor2neighbor` makes them, and what a network returned.
    gamma : float or keras.Variable
        Weight of the second part.

    Returns
    -------
    tensor of shape (n,)

    References
    ----------
    As `selfsupervised.neighbor2neighbor`; there, gamma grows from 0 to 2 during the training.

    Examples
    --------
    >>> import numpy as np
    >>> from helpers.training import neighbor2neighbor
    >>> noisy = np.random.default_rng(0).normal(0.5, 0.1, (1, 3, 140, 140, 1))
    >>> images, target, _ = neighbor2neighbor(noisy)(4, np.random.default_rng(0))
    >>> loss = neighbor2neighbor_loss(target, np.full_like(images, 0.5))
    >>> len(loss), bool(abs(np.mean(loss) - 2 * 0.1**2) < 0.002)
    (4, True)
    """
    count, size = keras.ops.shape(denoised)[:2]
    n, half = count // 2, size // 2
    error = denoised[:n, ..., 0] - target[:n, ..., 0]
    quarter = keras.ops.stop_gradient(denoised[n:])
    cells = keras.ops.reshape(quarter * target[n:, ..., 1:], (-1, half, 2, half, 2, 2))
    picked = keras.ops.sum(cells, axis=(2, 4))
    apart = picked[..., 0] - picked[..., 1]

    def mean_square(values):
        return keras.ops.mean(keras.ops.square(values), axis=(1, 2))

    return mean_square(error) + gamma * mean_square(error[:, :half, :half] - apart)


def sure_loss(target, denoised, *, std):
    """Stein's unbiased estimate of the mean squared error to the clean image, without the clean image.

    It is the mean square of what is removed, less the variance of the noise, plus twice that variance times how much the answer
    at a pixel follows the noise there: the divergence, found by shaking the input a little.

    Parameters
    ----------
    target, denoised : tensors of shape (2n, size, size, 1)
        As `selfsupervised.sure` makes them, and what a network returned.
    std : float
        Standard deviation of the noise in grey levels, above 0 and at most 1.

    Returns
    -------
    tensor of shape (n,)
        In the mean, the mean squared error of each patch; a single one may be negative.

    Raises
    ------
    ValueError
        If `std` is out of its range.

    References
    ----------
    As `selfsupervised.sure`; Ramani, Blu and Unser, "Monte-Carlo SURE", IEEE Trans. Image Processing 17, 2008, for the divergence.

    Examples
    --------
    >>> import numpy as np
    >>> from helpers.training import sure
    >>> noisy = np.random.default_rng(0).normal(0.5, 0.1, (1, 3, 80, 80, 1))
    >>> images, target, _ = sure(noisy)(4, np.random.default_rng(0))
    >>> bool(np.allclose(sure_loss(target, images, std=0.1), 0.01, atol=1e-3))  # nothing removed: all of the noise
    True
    """
    std = check_number(std, "std", 1e-6, 1)
    n = keras.ops.shape(denoised)[0] // 2
    noisy, shaken = target[:n], target[n:]
    divergence = shaken * (denoised[n:] - denoised[:n])
    each = keras.ops.square(denoised[:n] - noisy) - std**2 + 2 * std**2 * divergence
    return keras.ops.mean(each, axis=(1, 2, 3))
