"""Training: batches with fresh noise on every step, the loop, its progress line and schedule."""

import time

import numpy as np

from .._keras import keras
from ..checks import check_whole
from ..progress import ProgressLine
from .distributed import own_share


class Batches:
    """Batches that are drawn anew on every step.

    The seed, the epoch (which `fit` sets) and the step decide a batch, so a run can be repeated and
    resumed exactly.

    Parameters
    ----------
    pairs : function
        pairs(batch_size, rng) -> (input, target) or (input, target, weight), as `keras.Model.train_on_batch` takes
        them.
    batch_size, steps : int
        Images in a batch, batches in an epoch.
    seed : int or sequence of int
        Decides everything that is drawn.

    Raises
    ------
    ValueError
        If `batch_size` or `steps` is not a whole number of at least 1.

    References
    ----------
    keras.utils.PyDataset, which is much alike.

    Examples
    --------
    >>> def pairs(n, rng):
    ...     return rng.random((n, 8, 8, 1)), np.zeros((n, 8, 8, 1))
    >>> batches = Batches(pairs, batch_size=4, steps=2, seed=0)
    >>> noisy, clean = batches[0]
    >>> noisy.shape, len(batches)
    ((4, 8, 8, 1), 2)
    """

    def __init__(self, pairs, *, batch_size, steps, seed):
        self.pairs = pairs
        self.batch_size = check_whole(batch_size, "batch_size", 1)
        self.steps = check_whole(steps, "steps", 1)
        self.seed = seed
        self.epoch = 0

    def __len__(self):
        return self.steps

    def __getitem__(self, step):
        if not 0 <= step < self.steps:
            raise IndexError(f"step: expected a number below {self.steps}, got {step}")
        rng = np.random.default_rng([*np.atleast_1d(self.seed), self.epoch, step])
        return self.pairs(self.batch_size, rng)


class NoisyBatches(Batches):
    """Pairs of noisy and clean batches; images and noise are drawn anew on every step.

    Parameters
    ----------
    draw : function
        draw(batch_size, rng) -> clean images (batch_size, height, width, slices) in [0, 1]; of several
        slices, the middle one is what a network shall find.
    corrupt : function
        corrupt(clean, rng) -> noisy images of the same shape.
    batch_size, steps, seed
        As for `Batches`.

    Raises
    ------
    ValueError
        As `Batches`.

    References
    ----------
    Vincent et al., "Extracting and composing robust features with denoising
    autoencoders", ICML 2008: corrupt each example anew whenever it is presented.

    Examples
    --------
    >>> digits = np.zeros((10, 28, 28, 1), "float32")
    >>> batches = NoisyBatches(lambda n, rng: digits[rng.integers(10, size=n)],
    ...                        lambda clean, rng: clean + rng.normal(0, 0.5, clean.shape),
    ...                        batch_size=4, steps=2, seed=0)
    >>> noisy, clean = batches[0]
    >>> noisy.shape, len(batches)
    ((4, 28, 28, 1), 2)
    """

    def __init__(self, draw, corrupt, *, batch_size, steps, seed):
        def pairs(n, rng):
            clean = draw(n, rng)
            middle = clean.shape[-1] // 2
            return corrupt(clean, rng), clean[..., middle : middle + 1]

        super().__init__(pairs, batch_size=batch_size, steps=steps, seed=seed)


class ProgressCallback(keras.callbacks.Callback):
    """Show a line that is overwritten while a model trains, then print one clean line.

    Parameters
    ----------
    epochs : int
        Number of epochs that `fit` was asked for.
    digits : int
        Significant digits of the losses in the final line; few digits agree between machines.
    """

    def __init__(self, epochs, digits=2):
        super().__init__()
        self.epochs, self.digits = epochs, digits

    def on_train_begin(self, logs=None):
        self.line = ProgressLine().__enter__()
        self.start, self.done, self.logs = time.perf_counter(), 0, {}
        self.reached = self.epochs

    def on_epoch_end(self, epoch, logs=None):
        self.done += 1
        self.reached = epoch + 1
        self.logs = logs or {}
        left = (time.perf_counter() - self.start) / self.done * (self.epochs - epoch - 1)
        left = f"{left:.0f} s left" if left < 120 else f"{left / 60:.0f} min left"
        bar = "#" * (20 * (epoch + 1) // self.epochs)
        self.line.update(
            f"[{bar:20}] epoch {epoch + 1} of {self.epochs}, {self._losses(4)}, {left}"
        )

    def on_train_end(self, logs=None):
        self.line.__exit__()
        print(f"{self.model.name}: {self.reached} epochs, {self._losses(self.digits)}")

    def _losses(self, digits):
        return ", ".join(f"{name} {value:#.{digits}g}" for name, value in self.logs.items())


def fit(model, batches, *, epochs, callbacks=(), **keywords):
    """Train a compiled model and show a compact progress line instead of one line per epoch.

    Where several processes train together (`distributed`), each works on its share of every batch of `Batches`.

    Parameters
    ----------
    model : keras.Model
        Compiled.
    batches : Batches, or (noisy, clean) pair of arrays
        Training data.
    epochs : int
        Passes over the data.
    callbacks : list of keras.callbacks.Callback
        Further callbacks.
    **keywords
        With arrays: passed on to `keras.Model.fit`, such as batch_size and validation_data.

    Returns
    -------
    keras.callbacks.History

    Raises
    ------
    ValueError
        If there are further keywords beside `Batches`, which have no use for them.

    References
    ----------
    keras.Model.fit.

    Examples
    --------
    >>> from helpers.models import dense_autoencoder
    >>> model = dense_autoencoder(4)
    >>> model.compile("adam", "mse")
    >>> digits = np.zeros((8, 28, 28, 1), "float32")
    >>> history = fit(model, (digits, digits), epochs=2)  # doctest: +ELLIPSIS
    dense_autoencoder: 2 epochs, loss 0.2...
    """
    callbacks = [*callbacks, ProgressCallback(epochs)]
    if isinstance(batches, Batches):
        if keywords:
            raise ValueError(f"{min(keywords)}: expected with arrays only, got Batches")
        return _fit_step_by_step(model, batches, epochs, callbacks)
    return model.fit(*batches, epochs=epochs, callbacks=callbacks, verbose=0, **keywords)


def _fit_step_by_step(model, batches, epochs, callbacks):
    """Do what `model.fit` does, without its detour.

    Fed with batches from Python, `model.fit` makes TensorFlow 2.21 hand freed memory back to the system at
    once, for the rest of the process (generator_dataset_op sets M_TRIM_THRESHOLD). That took half of the time.
    """
    callbacks = keras.callbacks.CallbackList(
        callbacks, add_history=True, model=model, epochs=epochs
    )
    model.stop_training, logs = False, {}
    callbacks.on_train_begin()
    resumed = getattr(model, "_initial_epoch", None)  # where Keras's BackupAndRestore leaves it
    model._initial_epoch = None  # for the next training of this model
    for epoch in range(resumed or 0, epochs):
        batches.epoch = epoch
        callbacks.on_epoch_begin(epoch)
        steps = []
        for step in range(len(batches)):
            callbacks.on_train_batch_begin(step)
            model.reset_metrics()  # so that each step's loss is its own in older versions of Keras, too
            steps.append(model.train_on_batch(*own_share(batches[step]), return_dict=True))
            callbacks.on_train_batch_end(step, steps[-1])
        logs = {name: float(np.mean([step[name] for step in steps])) for name in steps[-1]}
        callbacks.on_epoch_end(epoch, logs)
        if model.stop_training:
            break
    callbacks.on_train_end(logs)
    return model.history


def warmup_cosine(peak, steps, *, warmup_share=0.05):
    """Learning rate that rises to `peak` in a short warm-up, then falls to 0 along a cosine.

    Parameters
    ----------
    peak : float
        Highest learning rate.
    steps : int
        Steps of the whole training, at least 2.
    warmup_share : float
        Share of the steps that the rise takes.

    Returns
    -------
    keras.optimizers.schedules.CosineDecay

    Raises
    ------
    ValueError
        If `steps` is not a whole number of at least 2.

    References
    ----------
    Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017.

    Examples
    --------
    >>> schedule = warmup_cosine(0.002, 1000)
    >>> float(schedule(50)).__round__(4), float(schedule(1000)).__round__(4)
    (0.002, 0.0)
    """
    warmup = max(1, round(check_whole(steps, "steps", 2) * warmup_share))
    return keras.optimizers.schedules.CosineDecay(
        peak / warmup, decay_steps=steps - warmup, warmup_target=peak, warmup_steps=warmup
    )
