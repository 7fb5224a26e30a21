"""helpers.comparison.protocol: the same images for everybody, one ruler, and what a record asks for."""

import time
from functools import partial

import numpy as np
import pytest

from helpers import baselines, comparison, hounsfield, metrics
from helpers.contract import About


def test_noise_depends_on_the_seed_only():
    clean = [np.zeros((3, 8, 8, 1), "float32"), np.zeros((2, 9, 9, 1), "float32")]
    first, again, other = (comparison.noisy_copies(clean, 0.1, seed=seed) for seed in (1, 1, 2))
    assert all(np.array_equal(a, b) for a, b in zip(first, again))
    assert not np.array_equal(first[0], other[0])
    assert first[1].std() == pytest.approx(0.1, rel=0.2)


def test_patients_of_different_sizes_slice_by_slice(pictures):
    clean = [pictures, pictures[:2, :20, :16]]
    noisy = comparison.noisy_copies(clean, 0.1)
    calls = []

    def denoiser(images):
        calls.append(images.shape)
        time.sleep(0.02)
        return images * np.float32(0.5)

    result = comparison.measure({"half": denoiser}, clean, noisy)["half"]
    assert result["about"] == About("half")  # a plain function: one slice, blind
    for index, (a, b) in enumerate(zip(clean, noisy)):
        for name in ("psnr", "ssim"):
            expected = getattr(metrics, name)(a, (b * np.float32(0.5)).clip(0, 1))
            np.testing.assert_allclose(result[name][index], expected)
        assert result["seconds"][index].shape == (len(a),)
        assert 0.02 <= result["seconds"][index][0] < 0.2
    # Of each patient, one slice goes before the clock.
    assert calls == [(1, 24, 32, 1)] * 4 + [(1, 20, 16, 1)] * 3


def test_a_method_of_volumes_gets_whole_patients():
    """A reader's own, known by its record; some slices go before the clock."""
    clean = [np.full((20, 8, 8, 1), 0.5, "float32")]
    noisy = comparison.noisy_copies(clean, 0.1)
    calls = []

    def mine(images):
        calls.append(len(images))
        return images

    mine.about = About("mine", neighbours=None)
    result = comparison.measure({"any name": mine}, clean, noisy)["any name"]
    assert calls == [16, 20]
    assert result["seconds"][0].shape == (20,) and np.ptp(result["seconds"][0]) == 0


def test_everybody_is_cut_to_the_window(pair):
    """In measuring and in tuning: what overshoots [0, 1] costs nobody anything."""
    clean, noisy = [images * 0 + 1 for images in pair[0]], pair[1]
    result = comparison.measure({"beyond": lambda images: images * 0 + 1.4}, clean, noisy)
    assert np.isinf(result["beyond"]["psnr"][0]).all()
    best, scores = baselines.tune(
        lambda images, level: images * 0 + np.float32(level), {"level": [0.9, 1.2]}, clean, noisy
    )
    assert best == {"level": 1.2} and scores[1][1] == np.inf


def test_a_function_that_writes_into_its_input_spoils_nothing(pair):
    clean, noisy = pair

    def spoil(images):
        images[:] = 0
        return images

    before = noisy[0].copy()
    results = comparison.measure({"spoil": spoil, "nothing": lambda x: x}, clean, noisy)
    np.testing.assert_array_equal(noisy[0], before)
    assert results["nothing"]["psnr"][0].mean() == pytest.approx(20, abs=0.5)


def test_images_are_checked_once_and_answers_once(pair, checked):
    comparison.measure({"median": partial(baselines.median, ksize=3)}, *pair)
    assert sorted(checked) == ["clean", "denoised", "noisy"]


def test_bad_input(pictures):
    for a, b in (([pictures, pictures], [pictures]), ([], [])):
        with pytest.raises(ValueError, match="^noisy: expected one array for each of the"):
            comparison.measure({"nothing": np.asarray}, a, b)
    with pytest.raises(ValueError, match="^noisy: expected finite"):
        comparison.measure({"nothing": np.asarray}, [pictures], [pictures * np.nan])
    with pytest.raises(ValueError, match="^denoised: expected the shape"):
        comparison.measure({"cut": lambda x: x[:, :-1]}, [pictures], [pictures])


def test_difference_is_paired(pair):
    clean, noisy = pair
    methods = {"half": lambda x: x / 2 + 0.25, "nothing": lambda x: x}
    summary = comparison.summarise(comparison.measure(methods, clean, noisy), "nothing")
    # Half the noise is 6.02 dB better on every slice, so the interval of the difference has no width.
    assert summary["half"]["difference"] == pytest.approx([6.0206] * 3, abs=1e-3)
    assert summary["nothing"]["difference"] == (0, 0, 0)
    assert summary["half"]["patients"] == pytest.approx([6.0206], abs=1e-3)
    mean, low, high = summary["half"]["psnr"]
    assert low <= mean <= high
    with pytest.raises(ValueError, match="reference: expected one of half, nothing"):
        comparison.summarise({"half": {}, "nothing": {}}, "bm3d")


def test_intervals_draw_blocks_of_neighbours(rng):
    """Slices that come in runs of ten alike: the interval is as wide as ten values allow, not a hundred."""
    runs = np.repeat(rng.normal(30, 1, 10), 10)
    entry = {"psnr": [runs], "ssim": [runs / 40], "seconds": [runs * 0], "about": About("runs")}
    summary = comparison.summarise({"a": entry}, "a")
    mean, low, high = summary["a"]["psnr"]
    assert mean == pytest.approx(runs.mean())
    assert high - low > 1.5 * 3.92 * runs.std() / np.sqrt(100)


@pytest.mark.parametrize("methods", [["bm3d", "resnet"], ["ct_unet_x9"]])
def test_unknown_methods_list_the_known_ones(methods, pictures):
    with pytest.raises(
        ValueError, match="^methods: expected some of noisy, gaussian, .*ct_unet_x8"
    ):
        comparison.compare([pictures], [pictures], methods=methods)


@pytest.fixture(scope="module")
def some_slices(ct_hu):
    """BM3D, told the noise level, and the U-Nets on three slices of each test patient."""
    test = [hounsfield.window(patient)[..., None] for patient in ct_hu["test"]]
    levels = {}
    for std in comparison.STDS:
        noisy = comparison.noisy_copies(test, std, seed=3)
        methods = {"bm3d": partial(baselines.bm3d, std=std), **comparison.networks()}
        methods |= comparison.derived(methods)
        part = ([images[10::16][:3] for images in patients] for patients in (test, noisy))
        levels[std] = comparison.measure(methods, *part)
    return levels


# Lead over BM3D in dB; six slices stand for all, so 0.05 less than the stored results are asked for.
LEADS = [("ct_unet", 0.03, 0.3), ("ct_unet", 0.07, 0.45), ("ct_unet", 0.12, 0.6)]
LEADS += [("ct_unet_x8", 0.03, 0.4), ("ct_unet_x8", 0.07, 0.6), ("ct_unet_x8", 0.12, 0.7)]


@pytest.mark.slow
@pytest.mark.parametrize(("name", "std", "lead"), LEADS)
def test_unet_beats_bm3d(name, std, lead, some_slices):
    unet, bm3d = (some_slices[std][method] for method in (name, "bm3d"))
    ahead = np.concatenate(unet["psnr"]) - np.concatenate(bm3d["psnr"])
    assert ahead.mean() >= lead
    assert (ahead > 0).all()
    assert np.concatenate(unet["ssim"]).mean() > np.concatenate(bm3d["ssim"]).mean()


def means(results, measure):
    return {name: np.concatenate(entry[measure]).mean() for name, entry in results.items()}


@pytest.mark.slow
def test_small_unet_is_as_good_as_bm3d(some_slices):
    psnrs = means(some_slices[0.07], "psnr")
    assert psnrs["ct_unet_small"] >= psnrs["bm3d"]


@pytest.mark.slow
def test_networks_are_far_quicker_than_bm3d(some_slices):
    """Side by side in one run; a busy machine leaves a factor of 10 of the usual 40."""
    seconds = means(some_slices[0.07], "seconds")
    assert seconds["bm3d"] > 10 * seconds["ct_unet"] > 10 * seconds["ct_unet_small"] / 2
