"""The samples of the page "Try it": what is stored is what the module makes, and what is said of them holds."""

import json
import re

import cv2
import numpy as np
import pytest

import publish
import samples
from helpers import metrics, models
from helpers.hounsfield import WINDOW_WIDTH

KNOWN = json.loads((samples.FOLDER / "samples.json").read_text(encoding="utf-8"))
each_sample = pytest.mark.parametrize("name", samples.SAMPLES)


def _stored(file):
    return cv2.imread(str(samples.FOLDER / file), cv2.IMREAD_UNCHANGED)


def test_noise_is_standard_normal():
    noise = samples.standard_noise((400, 400))
    assert abs(noise.mean()) < 0.01 and abs(noise.std() - 1) < 0.01
    assert abs((noise**4).mean() - 3) < 0.1
    assert abs((noise[:, 1:] * noise[:, :-1]).mean()) < 0.01


def test_page_knows_what_the_module_knows():
    assert tuple(KNOWN["stds"]) == samples.STDS and KNOWN["seed"] == samples.SEED
    for name, (title, source, note) in samples.SAMPLES.items():
        entry = KNOWN["samples"][name]
        assert (entry["title"], entry["source"], entry["note"]) == (title, source, note)
    page = (publish.ROOT / "docs" / "try.md").read_text(encoding="utf-8")
    assert f'max="{len(samples.STDS)}"' in page
    assert "0.07 grey levels are 98 HU" in page
    script = (samples.FOLDER.parent / "page.js").read_text(encoding="utf-8")
    assert f"std * {WINDOW_WIDTH:.0f}" in script


@each_sample
def test_stored_pictures_are_those_of_the_module(name):
    assert np.array_equal(_stored(f"{name}.png"), samples.clean(name))
    for std, score in zip(samples.STDS, KNOWN["samples"][name]["bm3d"]):
        reference, _ = samples.noisy(name, std)
        picture = _stored(f"{name}_bm3d_{std:.2f}.png").astype(np.float32) / 255
        again = metrics.psnr(reference, picture[None, ..., None])[0]
        assert abs(again - score) < (0.5 if score > 40 else 0.1)  # the picture has 8 bits


@pytest.mark.slow
def test_bm3d_is_ahead_on_the_phantom_where_noise_is_weak():
    std = samples.STDS[1]
    reference, noisy = samples.noisy("phantom", std)
    for name in re.findall(
        r'value="(ct_\w+)"', (publish.ROOT / "docs/try.md").read_text(encoding="utf-8")
    ):
        score = metrics.psnr(reference, models.pretrained_denoiser(name)(noisy).clip(0, 1))[0]
        assert score < KNOWN["samples"]["phantom"]["bm3d"][1] - 0.3
