"""helpers.checks: what is accepted, and one clear sentence for what is not."""

import numpy as np
import pytest

from helpers.checks import check_images, check_number, check_pair, check_rng, check_whole

GOOD = np.full((2, 4, 5, 1), 0.5, np.float32)


def with_value(value):
    images = GOOD.copy()
    images[1, 2, 3, 0] = value
    return images


BAD_IMAGES = {
    "no channel axis": (GOOD[..., 0], "shape"),
    "colour": (np.zeros((2, 4, 5, 3), np.float32), "shape"),
    "channels first": (np.zeros((2, 1, 4, 5), np.float32), "shape"),
    "no images": (GOOD[:0], "shape"),
    "no pixels": (GOOD[:, :0], "shape"),
    "a number": (0.5, "shape"),
    "None": (None, "shape"),
    "different sizes": ([np.zeros((4, 5, 1)), np.zeros((5, 5, 1))], "different sizes"),
    "8 bit": (np.zeros((2, 4, 5, 1), np.uint8), "uint8"),
    "int": (np.zeros((2, 4, 5, 1), int), "int64"),
    "bool": (np.zeros((2, 4, 5, 1), bool), "bool"),
    "complex": (np.zeros((2, 4, 5, 1), complex), "complex"),
    "objects": (GOOD.astype(object), "object"),
    "NaN": (with_value(np.nan), "NaN"),
    "infinity": (with_value(np.inf), "infinity"),
    "minus infinity": (with_value(-np.inf), "infinity"),
    "too bright": (with_value(1.001), "1.001"),
    "too dark": (with_value(-0.001), "-0.001"),
    "0..255": (GOOD * 255, "255"),
}


@pytest.mark.parametrize("case", BAD_IMAGES)
def test_bad_images_are_named_in_one_sentence(case):
    images, reason = BAD_IMAGES[case]
    with pytest.raises(ValueError, match=f"^scans: expected .*{reason}") as error:
        check_images(images, "scans")
    assert "\n" not in str(error.value)


def test_float32_is_not_copied_and_other_floats_are_converted():
    assert check_images(GOOD) is GOOD
    for dtype in (np.float64, np.float16):
        checked = check_images(GOOD.astype(dtype))
        assert checked.dtype == np.float32
        np.testing.assert_array_equal(checked, GOOD)
    np.testing.assert_array_equal(check_images(GOOD.tolist()), GOOD)


def test_margin_widens_the_range_and_stops_there():
    assert check_images(with_value(2.9), margin=2.0).max() == np.float32(2.9)
    assert check_images(with_value(-1.9), margin=2.0).min() == np.float32(-1.9)
    for value in (3.1, -2.1, np.nan, np.inf):
        with pytest.raises(ValueError, match="^images: expected"):
            check_images(with_value(value), margin=2.0)


def test_pairs_must_have_the_same_shape():
    clean, noisy = check_pair(GOOD, GOOD.astype(float) + 0.7, "noisy")
    assert clean.dtype == noisy.dtype == np.float32
    with pytest.raises(ValueError, match=r"^noisy: .*\(2, 4, 5, 1\), got \(1, 4, 5, 1\)"):
        check_pair(GOOD, GOOD[:1], "noisy")
    with pytest.raises(ValueError, match="^clean: expected values"):
        check_pair(GOOD + 0.7, GOOD)


@pytest.mark.parametrize("rng", [None, 0, np.random, np.random.RandomState(0), np.random.Generator])
def test_only_a_generator_is_a_source_of_randomness(rng):
    with pytest.raises(ValueError, match=r"^rng: expected .*default_rng"):
        check_rng(rng)


@pytest.mark.parametrize("value", [np.nan, np.inf, -0.1, 1.1, "1", b"1", None, 1j, [0.5], [1, 2]])
def test_numbers(value):
    with pytest.raises(ValueError, match=r"^amount: expected a number in \[0, 1\], got"):
        check_number(value, "amount", 0, 1)
    with pytest.raises(ValueError, match="^ksize: expected a whole number"):
        check_whole(value, "ksize", 0, 1)


def test_number_limits_belong_to_the_range():
    assert [check_number(value, "x", 0, 1) for value in (0, 1, np.float32(0.5))] == [0, 1, 0.5]
    assert [check_whole(value, "x", 1, 3) for value in (1, np.int64(2), 3.0)] == [1, 2, 3]
    for check in (check_number, check_whole):
        with pytest.raises(ValueError, match=r"^x: .*got inf"):
            check(np.inf, "x", 0)
    with pytest.raises(ValueError, match="^x: expected a whole number"):
        check_whole(2.5, "x", 1, 3)
