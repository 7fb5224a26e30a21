"""A peer of our Noise2Void: that of the package CAREamics, by other authors, on the same scans with as many updates.

`python -m helpers.comparison.peer` trains it with three seeds, for white noise and for that of a scanner, and measures
the test patients; it takes about half an hour on two cores. It wants the package: `pip install careamics`.
"""

import argparse
import tempfile
from pathlib import Path

import numpy as np

from ..baselines.registry import installed_version
from ..models import as_denoiser
from .noisy_scans import NOISES, scans_of_test, scans_of_training
from .results import RESULTS, head_lines, machine, packages, store_jobs
from .seeds import COLUMNS, parsed, rows_of, stored_jobs
from .without_clean import BATCH_SIZE, EPOCHS, SEEDS, STEPS, scores

PEER = RESULTS.with_name("peer.csv")
PATCH = 64  # pixels; its authors ask for a power of 2
_COMMAND = "python -m helpers.comparison.peer"
_NAME = "careamics"  # in the column of methods
_JOBS = [(noise, _NAME, seed) for noise in NOISES for seed in SEEDS]


class _Network:
    """A network of CAREamics, with what `models.as_denoiser` asks of one: whole slices, mirrored to multiples of 8."""

    name = "Noise2Void (CAREamics)"
    input_shape = (None, None, None, 1)

    def __init__(self, careamist):
        self.careamist = careamist

    def predict_on_batch(self, images):
        """Denoise images of shape (n, height, width, 1)."""
        answers, _ = self.careamist.predict(images[..., 0], axes="SYX", batch_size=1)
        return np.reshape(answers, images.shape)


def careamics_noise2void(scans, seed, folder, *, epochs=EPOCHS, steps=STEPS):
    """Train Noise2Void as CAREamics does: its network, its loss, its optimiser, all by default.

    Parameters
    ----------
    scans : noisy_scans.NoisyScans
        Of the training patient.
    seed : int
        Decides weights, patches and hidden pixels.
    folder : str or Path
        An empty one, where CAREamics keeps its checkpoints and logs, also while it denoises.
    epochs, steps : int
        Number of epochs, and of updates in each.

    Returns
    -------
    function
        A denoiser (`models.as_denoiser`).

    Raises
    ------
    ModuleNotFoundError
        If CAREamics is not installed.

    References
    ----------
    https://careamics.github.io; Krull, Buchholz and Jug, "Noise2Void", CVPR 2019.

    Examples
    --------
    >>> denoise = careamics_noise2void(scans_of_training("white", 0), 0, "new")  # doctest: +SKIP
    """
    from careamics import CAREamist
    from careamics.config import create_n2v_config

    config = create_n2v_config(
        "noise2void", "array", "SYX", [PATCH, PATCH], BATCH_SIZE, num_epochs=epochs, num_steps=steps
    )
    config.data_config.seed = seed + 1  # it wants a positive one
    (patient,) = scans.scan
    careamist = CAREamist(config, work_dir=folder, enable_progress_bar=False)
    careamist.train(train_data=patient[..., 0])
    return as_denoiser(_Network(careamist), source="careamics")


def read_peer(path=PEER):
    """Read the stored results.

    Parameters
    ----------
    path : str or Path
        The CSV file, by default the one that the repository holds.

    Returns
    -------
    dict of str to dict
        For each noise the PSNR of the test slices in dB: {seed: [one array per patient]}, as one method of
        `without_clean.read_without_clean`.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it does not hold all that the command measures.

    Examples
    --------
    >>> list(read_peer())
    ['white', 'scanner']
    """
    found = stored_jobs(path, _JOBS, _COMMAND)
    return {noise: {seed: found[noise, _NAME, seed] for seed in SEEDS} for noise in NOISES}


def main(arguments=None):
    """Train and measure whatever is missing, and store the results when all are there."""
    parser = argparse.ArgumentParser(prog=_COMMAND, description=__doc__.split("\n\n")[1])
    file = "the CSV file (default helpers/results/peer.csv)"
    parser.add_argument("--output", type=Path, default=PEER, help=file)
    path = parser.parse_args(arguments).output
    versions = {name: installed_version(name) for name in ("careamics", "torch")}
    if not versions["careamics"]:
        parser.error("careamics: expected the package to be installed; `pip install careamics`")
    about = {"machine": machine(), "packages": packages(), **versions}
    about |= {"patch": PATCH, "settings": [EPOCHS, STEPS, BATCH_SIZE]}

    def measure(noise, name, seed):
        training, test = scans_of_training(noise, seed), scans_of_test(noise, 0)
        with tempfile.TemporaryDirectory() as folder:
            denoise = careamics_noise2void(training, seed, folder)
            return scores(test.clean, [denoise(images) for images in test.scan])

    try:
        store_jobs(path, head_lines(about, COLUMNS), _JOBS, parsed, rows_of, measure)
    except (ValueError, OSError) as error:  # a file that cannot be written, no data
        parser.error(str(error))


if __name__ == "__main__":
    main()
