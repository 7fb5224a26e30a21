"""helpers.comparison.observer: against what theory knows of white and correlated noise."""

import numpy as np
import pytest

from helpers import comparison, noise
from helpers.comparison import detection, observer

SIZE = 31
SPOT = comparison.gaussian_spot(SIZE, 0.1, 1.0)


def images_with_noise(add, places, draws, rng):
    """Places that differ, seen several times."""
    absent = add(np.zeros((places * draws, SIZE, SIZE, 1), np.float32), 0.07, rng)
    absent = absent.reshape(places, draws, SIZE, SIZE) + rng.normal(0, 0.3, (places, 1, 1, 1))
    return absent, absent + SPOT


def correlated(images, std, rng):
    return noise.add_correlated_noise(images, std, rng, sigma=0.7)


def test_a_spot_has_its_height_and_width():
    spot = comparison.gaussian_spot(9, 0.2, 1.5)
    assert spot[4, 4] == pytest.approx(0.2)
    assert spot[4, 7] == pytest.approx(0.2 * np.exp(-2))
    np.testing.assert_array_equal(spot, spot.T[::-1])


def test_matched_filter_is_ideal_in_white_noise(rng):
    """What differs from place to place counts for nothing."""
    pair = images_with_noise(noise.add_gaussian_noise, 200, 20, rng)
    ideal = np.sqrt(np.square(SPOT).sum()) / 0.07
    assert detection.ideal_detectability() == pytest.approx(ideal, rel=1e-3)
    found = comparison.detectability(comparison.matched_filter(*pair, SPOT))
    assert found == pytest.approx(ideal, rel=0.05)
    hotelling = comparison.hotelling(*pair, comparison.dog_channels(SIZE))
    assert 0.85 * ideal < comparison.detectability(hotelling) < 1.03 * ideal


def test_channels_beat_the_matched_filter_in_correlated_noise(rng):
    """And nobody beats the ideal observer, here by the covariance of a blur, inverted."""
    absent, present = images_with_noise(correlated, 200, 20, rng)
    taps = np.exp(-np.square(np.arange(-6, 7)) / (2 * 0.7**2))
    blur = np.array([np.r_[np.zeros(k), taps, np.zeros(SIZE - 1 - k)] for k in range(SIZE)])
    along = np.exp(-np.square(np.arange(SIZE) - SIZE // 2) / 2)
    covariance = blur @ blur.T / np.square(taps).sum()
    ideal = 0.1 / 0.07 * (along @ np.linalg.solve(covariance, along))
    assert detection.ideal_detectability(0.7) == pytest.approx(ideal, rel=0.03)
    matched = comparison.detectability(comparison.matched_filter(absent, present, SPOT))
    responses = comparison.hotelling(absent, present, comparison.dog_channels(SIZE))
    assert 1.03 * matched < comparison.detectability(responses) < 1.03 * ideal


def test_the_observer_judges_only_what_it_has_not_learned_from(rng):
    """In noise alone it finds no spot; one that judged its own examples would find one every time."""
    channels, found = comparison.dog_channels(SIZE), []
    for _ in range(20):
        absent, present = rng.normal(0, 1, (2, 14, 6, SIZE, SIZE))
        found.append(comparison.detectability(comparison.hotelling(absent, present, channels)))
    assert abs(np.mean(found)) < 0.15


def test_responses_repeat_on_other_machines(rng):
    """A change in the last digits changes nothing: channels that a window cannot tell apart are left out."""
    absent, present = images_with_noise(correlated, 20, 6, rng)
    channels = comparison.dog_channels(SIZE)
    last_digits = 1 + 1e-7 * rng.standard_normal((2, *absent.shape))
    one, other = (
        comparison.detectability(comparison.hotelling(absent * a, present * b, channels))
        for a, b in (np.ones(2), last_digits)
    )
    assert one == pytest.approx(other, rel=1e-4)


def test_channels_pass_one_band_each():
    channels = comparison.dog_channels(101)
    np.testing.assert_allclose(np.square(channels).sum(axis=(1, 2)), 1)
    np.testing.assert_allclose(
        channels.sum(axis=(1, 2)), 0, atol=1e-9
    )  # a mean of grey says nothing
    peaks = [np.abs(np.fft.fft2(channel)).ravel().argmax() for channel in channels]
    frequency = np.hypot(*np.meshgrid(np.fft.fftfreq(101), np.fft.fftfreq(101))).ravel()[peaks]
    assert (np.diff(frequency)[3:] > 0).all() and 0.1 < frequency[-1] < 0.2


def test_detectability_counts_the_noise_only():
    """Places 5 apart, responses 1 to either side, with the spot 3 more."""
    without = np.array([[-1.0, 1.0], [4.0, 6.0]])
    assert comparison.detectability(np.stack([without, without + 3])) == pytest.approx(3 / 2**0.5)
    assert comparison.detectability(np.zeros((2, 2, 2))) == 0
    assert comparison.detectability(np.stack([without * 0, without * 0 + 1])) == np.inf


def test_the_interval_covers_the_truth(rng):
    hits, differences = 0, 0
    for _ in range(100):
        responses = rng.normal(0, 1, (2, 30, 6))
        responses[1] += rng.normal(2, 0.5, (30, 1))
        interval = comparison.detectability_interval(responses, rng, n_resamples=200)
        hits += interval[0] < 2 < interval[1]
        worse = responses + rng.normal(0, 1, responses.shape)
        low, high = comparison.detectability_interval(worse, rng, other=responses, n_resamples=200)
        differences += low < 2 / 2**0.5 - 2 < high
    assert hits > 85 and differences > 85


def test_calm_places_lie_apart_and_inside(rng):
    image = np.full((100, 120, 1), 0.1, np.float32)
    image[:, :40] = 0.7
    places = observer.calm_lung(image, rng, size=21)
    assert len(places) > 5
    assert places.min() >= 10 and (places < (90, 110)).all() and (places[:, 1] >= 47).all()
    for index, place in enumerate(places):
        others = np.delete(places, index, axis=0)
        assert (np.abs(others - place).max(axis=1) >= 21).all()
    assert observer.calm_lung(image * 0 + 0.7, rng, size=21).shape == (0, 2)


def test_windows_are_cut_around_their_places(rng):
    images = rng.random((3, 20, 24, 1))
    cut = observer.windows(images, [(5, 6), (10, 12)], 7)
    assert cut.shape == (2, 3, 7, 7)
    np.testing.assert_array_equal(cut[1, 2], images[2, 7:14, 9:16, 0])


def test_bad_numbers(rng):
    for call in (
        lambda: comparison.gaussian_spot(4, 0.1, 1),
        lambda: comparison.dog_channels(4),
        lambda: observer.calm_lung(np.zeros((30, 30, 1)), rng, size=4),
        lambda: observer.windows(np.zeros((1, 9, 9, 1)), [(4, 4)], 4),
    ):
        with pytest.raises(ValueError, match="^size: expected an odd number, got 4"):
            call()
    few = np.zeros((4, 2, 5, 5))
    with pytest.raises(
        ValueError, match="^absent: expected at least 2 places, .*, 40 images, got 4 places and 2"
    ):
        comparison.hotelling(few, few, comparison.dog_channels(5))
    with pytest.raises(ValueError, match="^rng: expected a numpy Generator"):
        comparison.detectability_interval(few, 0)
    with pytest.raises(ValueError, match="^other: expected the shape"):
        comparison.detectability_interval(np.zeros((2, 4, 2)), rng, other=np.zeros((2, 3, 2)))
