"""Keras networks of the notebooks. They run on any Keras 3 backend."""

import numpy as np

from .._keras import keras
from ..checks import check_whole

layers = keras.layers


def dense_autoencoder(code_size=32, image_shape=(28, 28, 1)):
    """The classic autoencoder with one hidden layer: 784-32-784.

    Parameters
    ----------
    code_size : int
        Number of units of the code layer.
    image_shape : (int, int, int)
        Height, width and 1.

    Returns
    -------
    keras.Model
        From (n, height, width, 1) in [0, 1] to the same shape, in [0, 1]. Its code layer is
        `model.get_layer("code")`.

    References
    ----------
    Chollet, "Building Autoencoders in Keras", The Keras Blog, 2016.

    Examples
    --------
    >>> dense_autoencoder().count_params()
    50992
    """
    return dense_network([code_size], image_shape, name="dense_autoencoder")


def deep_dense_autoencoder(image_shape=(28, 28, 1)):
    """The deeper dense autoencoder of the occlusion tutorial: 784-128-50-128-784.

    Parameters
    ----------
    image_shape : (int, int, int)
        Height, width and 1.

    Returns
    -------
    keras.Model
        As `dense_autoencoder`; the code layer has 50 units.

    References
    ----------
    Hinton and Salakhutdinov, "Reducing the dimensionality of data with neural networks", Science 313,
    2006, for stacking layers around a code.

    Examples
    --------
    >>> deep_dense_autoencoder().get_layer("code").units
    50
    """
    return dense_network([128, 50, 128], image_shape, name="deep_dense_autoencoder")


def dense_network(units, image_shape=(28, 28, 1), *, code_activation="relu", name="dense_network"):
    """A dense autoencoder of any depth and width; the ones above are special cases.

    Parameters
    ----------
    units : sequence of int
        Units of each hidden layer, an odd number of layers; the middle one is the code.
    image_shape : (int, int, int)
        Height, width and 1.
    code_activation : str
        Activation of the code layer, such as "linear" for codes of both signs. The other hidden
        layers use "relu", the output "sigmoid".
    name : str
        Name of the model.

    Returns
    -------
    keras.Model
        As `dense_autoencoder`.

    Raises
    ------
    ValueError
        If `units` has an even number of entries, or one that is not a positive whole number.

    References
    ----------
    Hinton and Salakhutdinov, "Reducing the dimensionality of data with neural networks", Science 313, 2006.

    Examples
    --------
    >>> dense_network([64, 8, 64]).count_params()
    102296
    """
    units = list(units)
    if len(units) % 2 == 0 or not all(isinstance(n, (int, np.integer)) and n > 0 for n in units):
        raise ValueError(f"units: expected an odd number of positive whole numbers, got {units}")
    inputs = keras.Input(image_shape)
    x = layers.Flatten()(inputs)
    for index, width in enumerate(units):
        if index == len(units) // 2:
            x = layers.Dense(width, activation=code_activation, name="code")(x)
        else:
            x = layers.Dense(width, activation="relu")(x)
    x = layers.Dense(int(np.prod(image_shape)), activation="sigmoid")(x)
    return keras.Model(inputs, layers.Reshape(image_shape)(x), name=name)


def split_autoencoder(model):
    """Cut an autoencoder at its code layer into an encoder and a decoder, which share its weights.

    Parameters
    ----------
    model : keras.Model
        A chain of layers, one of which is called "code", such as `dense_network` builds.

    Returns
    -------
    (keras.Model, keras.Model)
        The encoder, from images to codes, and the decoder, from codes to images.

    Raises
    ------
    ValueError
        If no layer is called "code".

    Examples
    --------
    >>> encoder, decoder = split_autoencoder(dense_autoencoder(32))
    >>> encoder.output_shape, decoder.output_shape
    ((None, 32), (None, 28, 28, 1))
    """
    names = [layer.name for layer in model.layers]
    if "code" not in names:
        raise ValueError(f"model: expected a layer called 'code', got {', '.join(names)}")
    code = model.get_layer("code").output
    inputs = keras.Input(code.shape[1:])
    x = inputs
    for layer in model.layers[names.index("code") + 1 :]:
        x = layer(x)
    return keras.Model(model.input, code, name="encoder"), keras.Model(inputs, x, name="decoder")


def strided_conv_autoencoder():
    """The small convolutional autoencoder of the Fashion-MNIST tutorials: 3,217 weights.

    Two convolutions of stride 2 halve the image twice, a third one makes the code of 8 feature maps,
    and two transposed convolutions of stride 2 enlarge it again. The kernels are 3x3.

    Returns
    -------
    keras.Model
        From (n, height, width, 1) to the same shape, in [0, 1]; height and width are multiples of 4.
        The encoder ends in `model.get_layer("code")`, at a quarter of the height and width.

    References
    ----------
    Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", 2016, for strides and
    transposed convolutions.

    Examples
    --------
    >>> strided_conv_autoencoder().count_params()
    3217
    """
    same = {"kernel_size": 3, "padding": "same", "activation": "relu"}
    inputs = keras.Input((None, None, 1))
    x = layers.Conv2D(16, strides=2, **same)(inputs)
    x = layers.Conv2D(8, strides=2, **same)(x)
    x = layers.Conv2D(8, name="code", **same)(x)
    x = layers.Conv2DTranspose(16, strides=2, **same)(x)
    outputs = layers.Conv2DTranspose(1, **{**same, "activation": "sigmoid"}, strides=2)(x)
    return keras.Model(inputs, outputs, name="strided_conv_autoencoder")


def conv_autoencoder(filters=64):
    """The convolutional bottleneck autoencoder that popular tutorials use on CT.

    Two halvings by max-pooling lead to a code of a quarter of the height and width, two upsamplings
    lead back. Nothing but the code reaches the decoder.

    Parameters
    ----------
    filters : int
        Number of feature maps of each convolution.

    Returns
    -------
    keras.Model
        From (n, height, width, 1) to the same shape, in [0, 1]; height and width are multiples of 4.
        The encoder ends in `model.get_layer("code")`.

    References
    ----------
    The "convolutional autoencoder" of Chollet, "Building Autoencoders in Keras", 2016, with 64 maps in
    each layer.

    Examples
    --------
    >>> conv_autoencoder().count_params()
    112001
    """
    inputs = keras.Input((None, None, 1))
    x = layers.Conv2D(filters, 3, activation="relu", padding="same")(inputs)
    x = layers.MaxPooling2D(2)(x)
    x = layers.Conv2D(filters, 3, activation="relu", padding="same")(x)
    x = layers.MaxPooling2D(2, name="code")(x)
    x = layers.Conv2D(filters, 3, activation="relu", padding="same")(x)
    x = layers.UpSampling2D(2)(x)
    x = layers.Conv2D(filters, 3, activation="relu", padding="same")(x)
    x = layers.UpSampling2D(2)(x)
    outputs = layers.Conv2D(1, 3, activation="sigmoid", padding="same")(x)
    return keras.Model(inputs, outputs, name="conv_autoencoder")


def denoising_unet(widths=(48, 96, 96), blocks=(2, 1, 1), *, slices=1):
    """A residual U-Net: it predicts the noise and subtracts it from its input.

    A first convolution folds each 2x2 block of pixels into feature maps, and a last one unfolds them,
    so that the costly layers work on a quarter of the pixels. In between, each floor of the U holds
    residual blocks of two 3x3 convolutions; convolutions of stride 2 lead down and up, and skip
    connections add the fine detail on the way up. There is no output activation: the network's task
    is the noise, which has both signs.

    Parameters
    ----------
    widths : sequence of int
        Feature maps on each floor, from half the resolution downwards.
    blocks : sequence of int
        Residual blocks on each floor; on all floors but the lowest, as many on the way down as up.
    slices : int
        An odd number of neighbouring slices, of which the middle one is denoised: 1 for single
        slices, 5 to see two on each side.

    Returns
    -------
    keras.Model
        From (n, height, width, slices) to (n, height, width, 1); height and width are multiples of
        2 ** len(widths).

    Raises
    ------
    ValueError
        If `widths` and `blocks` differ in length, or `slices` is not odd.

    References
    ----------
    Ronneberger, Fischer and Brox, "U-Net", MICCAI 2015 (the shape); Zhang et al., "Beyond a Gaussian
    denoiser", IEEE Trans. Image Processing 26, 2017 (learning the noise); Zhang, Zuo and Zhang,
    "FFDNet", IEEE Trans. Image Processing 27, 2018 (working at half the resolution); Zhang et al.,
    "Plug-and-play image restoration with deep denoiser prior", IEEE Trans. Pattern Analysis and
    Machine Intelligence 44, 2021 (residual blocks, strided convolutions and added skips).

    Examples
    --------
    >>> denoising_unet((32, 64), (1, 1)).count_params()
    128001
    """
    widths, blocks = list(widths), list(blocks)
    if not widths or len(widths) != len(blocks):
        raise ValueError(
            f"blocks: expected one number for each of the widths {widths}, got {blocks}"
        )
    slices = check_whole(slices, "slices", 1)
    if slices % 2 == 0:
        raise ValueError(f"slices: expected an odd number, got {slices}")
    middle = slices // 2
    inputs = keras.Input((None, None, slices))
    # Zero mean and about unit variance inside; the noise is counted in tenths of the CT window.
    x = layers.Rescaling(4.0, offset=-1.4)(inputs)
    x = layers.Conv2D(widths[0], 2, strides=2, name="fold")(x)
    skips = []
    for width, count, below in zip(widths, blocks, widths[1:]):
        x = _residual_blocks(x, width, count)
        skips.append(x)
        x = layers.Conv2D(below, 2, strides=2)(x)
    x = _residual_blocks(x, widths[-1], blocks[-1])
    for width, count, skip in zip(widths[-2::-1], blocks[-2::-1], skips[::-1]):
        x = layers.Conv2DTranspose(width, 2, strides=2)(x)
        x = _residual_blocks(layers.Add()([x, skip]), width, count)
    small = keras.initializers.VarianceScaling(0.1)
    x = layers.Conv2DTranspose(1, 4, strides=2, padding="same", kernel_initializer=small)(x)
    exact = {"dtype": "float32"}  # also where a training computes all else in lower precision
    noise = layers.Rescaling(0.1, name="noise", **exact)(x)
    outputs = layers.Subtract(name="denoised", **exact)([inputs[..., middle : middle + 1], noise])
    return keras.Model(inputs, outputs, name="denoising_unet")


def _residual_blocks(x, width, count):
    """Blocks that add something to their input, at first very little."""
    same = {"kernel_size": 3, "padding": "same"}
    for _ in range(count):
        y = layers.Conv2D(width, activation="relu", kernel_initializer="he_normal", **same)(x)
        small = keras.initializers.VarianceScaling(0.2)
        x = layers.Add()([x, layers.Conv2D(width, kernel_initializer=small, **same)(y)])
    return x
