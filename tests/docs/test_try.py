"""The page "Try it" in a real browser: its numbers are Python's, files, keyboard, no network."""

import re

import cv2
import numpy as np
import pydicom
import pytest
from pydicom.data import get_testdata_file
from pydicom.uid import (
    CTImageStorage,
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
)

import export_onnx
import samples
from helpers import metrics, models

pytestmark = pytest.mark.slow


@pytest.fixture
def page(tab, address):
    """The page, with its first sample denoised."""
    tab.goto(f"{address}try.html")
    tab.denoised()
    return tab


def _act(page, action):
    """Do something that denoises anew, and wait for the answer."""
    page.evaluate("document.querySelector('#try-message').textContent = ''")
    action()
    page.denoised()


def _score(page, name):
    return float(page.inner_text(f"#try-{name} figcaption span").removesuffix(" dB"))


def _set_noise(page, std):
    place = samples.STDS.index(std) + 1
    script = f"slider => {{ slider.value = {place}; slider.dispatchEvent(new Event('input')) }}"
    _act(page, lambda: page.eval_on_selector("#try-noise", script))


@pytest.mark.parametrize("network", export_onnx.NAMES)
def test_numbers_are_those_of_python(page, network):
    denoise = models.pretrained_denoiser(network)
    if network != page.input_value("#try-network"):
        _act(page, lambda: page.select_option("#try-network", network))
    for name in ("heart", "phantom"):
        if name != page.input_value("#try-sample"):
            _act(page, lambda name=name: page.select_option("#try-sample", name))
        for std in (0.07, 0.03)[: 2 if network == "ct_unet_small" else 1]:
            _set_noise(page, std)
            clean, noisy = samples.noisy(name, std)
            for key, image in (("noisy", noisy), ("denoised", denoise(noisy))):
                expected = metrics.psnr(clean, image.clip(0, 1))[0]
                assert abs(_score(page, key) - expected) < 0.05, (name, std, key)
    assert page.faults == []


def _dicom(path, syntax, grey):
    """Write a CT slice of the given grey levels."""
    meta = pydicom.dataset.FileMetaDataset()
    meta.TransferSyntaxUID, meta.MediaStorageSOPClassUID = syntax, CTImageStorage
    meta.MediaStorageSOPInstanceUID = "1.2.3"
    slice_ = pydicom.Dataset()
    slice_.file_meta = meta
    slice_.SOPClassUID, slice_.SOPInstanceUID = CTImageStorage, "1.2.3"
    slice_.Rows, slice_.Columns = grey.shape
    slice_.BitsAllocated, slice_.BitsStored, slice_.HighBit = 16, 16, 15
    slice_.PixelRepresentation, slice_.SamplesPerPixel = 1, 1
    slice_.PhotometricInterpretation = "MONOCHROME2"
    slice_.RescaleSlope, slice_.RescaleIntercept = 1, -1024
    hu = np.rint(grey * 1400 - 1000)
    slice_.PixelData = (hu + 1024).astype("<i2").tobytes()
    slice_.save_as(path, enforce_file_format=True)
    return np.clip((hu + 1000) / 1400, 0, 1).astype(np.float32)


@pytest.mark.parametrize("kind", ["png", "explicit", "implicit"])
def test_own_files_are_read(page, tmp_path, pictures, kind):
    grey = np.kron(pictures[0, ..., 0], np.ones((2, 2), np.float32))
    if kind == "png":
        path, clean = tmp_path / "own.png", np.rint(grey * 255).astype(np.float32) / 255
        cv2.imwrite(str(path), np.rint(clean * 255).astype(np.uint8))
    else:
        syntax = {"explicit": ExplicitVRLittleEndian, "implicit": ImplicitVRLittleEndian}[kind]
        path = tmp_path / "own.dcm"
        clean = _dicom(path, syntax, grey)
    _act(page, lambda: page.set_input_files("#try-file", path))
    noisy = (clean + 0.07 * samples.standard_noise(clean.shape)).astype(np.float32)[None, ..., None]
    denoised = models.pretrained_denoiser("ct_unet_small")(noisy).clip(0, 1)
    expected = metrics.psnr(clean[None, ..., None], denoised)[0]
    assert abs(_score(page, "denoised") - expected) < 0.05
    assert page.is_hidden("#try-bm3d")  # it is stored for the samples only
    assert "stays in this browser" in page.inner_text("#try-about")
    noise = "slider => { slider.value = 0; slider.dispatchEvent(new Event('input')) }"
    _act(page, lambda: page.eval_on_selector("#try-noise", noise))
    assert page.inner_text("#try-noise-words") == "none added"
    assert page.is_hidden("#try-clean") and page.is_visible("#try-denoised")
    assert page.faults == []


DROP = """([name, bytes]) => {
    const moved = new DataTransfer();
    moved.items.add(new File([new Uint8Array(bytes)], name));
    document.querySelector("#try").dispatchEvent(new DragEvent("drop", { dataTransfer: moved, bubbles: true }));
}"""


@pytest.mark.parametrize(
    "name, content, words",
    [
        ("notes.png", b"no picture", "neither or is damaged"),
        ("empty.png", b"", "neither or is damaged"),
        ("slice.dcm", b"no slice", "damaged or no DICOM file"),
        ("cut.dcm", b"\0" * 128 + b"DICM\2\0\0\0UL", "damaged or no DICOM file"),
    ],
)
def test_a_broken_file_gives_one_sentence(page, name, content, words):
    before = page.inner_text("#try-denoised figcaption")
    page.evaluate(DROP, [name, list(content)])
    page.wait_for_selector("#try-message.fault")
    sentence = page.inner_text("#try-message")
    assert sentence.startswith(name) and words in sentence
    assert len(re.findall(r"\.(\s|$)", sentence)) == 1
    assert page.inner_text("#try-denoised figcaption") == before  # what was there stays
    assert page.faults == []


def _refusal(page, content):
    """Drop a file, and return what the page says of it, not of one before."""
    page.evaluate("document.querySelector('#try-message').className = ''")
    page.evaluate(DROP, ["own.dcm", list(content)])
    page.wait_for_selector("#try-message.fault")
    assert page.faults == []
    return page.inner_text("#try-message")


@pytest.mark.parametrize(
    "syntax, uid, words",
    [
        (ExplicitVRLittleEndian, b"1.2.840.10008.1.2.5\0", "has compressed pixels"),
        (DeflatedExplicitVRLittleEndian, b"", "is deflated"),
        (ExplicitVRBigEndian, b"", "is big-endian"),
    ],
)
def test_a_compressed_slice_is_refused(page, tmp_path, pictures, syntax, uid, words):
    path = tmp_path / "own.dcm"
    _dicom(path, syntax, pictures[0, ..., 0])
    content = path.read_bytes()
    if uid:
        content = content.replace(b"1.2.840.10008.1.2.1\0", uid)
    expected = f"own.dcm: expected an uncompressed little-endian DICOM slice, and this one {words}."
    assert _refusal(page, content) == expected


def test_what_is_no_ct_slice_is_refused(page, tmp_path, pictures):
    """Its values are no Hounsfield units, or nothing tells how they become some."""
    other = "own.dcm: expected a CT slice, and this DICOM file is of another kind."
    with open(get_testdata_file("MR_small.dcm"), "rb") as file:
        assert _refusal(page, file.read()) == other
    path = tmp_path / "own.dcm"
    _dicom(path, ExplicitVRLittleEndian, pictures[0, ..., 0])
    slice_ = pydicom.dcmread(path)
    slice_.ImageType = ["ORIGINAL", "PRIMARY", "LOCALIZER"]
    slice_.save_as(path)
    assert _refusal(page, path.read_bytes()) == other
    del slice_.ImageType, slice_.RescaleIntercept
    slice_.save_as(path)
    assert "RescaleSlope and RescaleIntercept" in _refusal(page, path.read_bytes())


def _picture(path, grey):
    cv2.imwrite(str(path), np.rint(grey * 255).astype(np.uint8))


def _choose(page, path):
    """Choose a file as readers do, by the dialogue."""
    with page.expect_file_chooser() as dialogue:
        page.click("#try-file")
    assert page.input_value("#try-file") == ""  # else a browser is silent if the file is the same
    _act(page, lambda: dialogue.value.set_files(path))


def test_own_file_can_be_chosen_and_shown_again(page, tmp_path, pictures):
    path = tmp_path / "own.png"
    assert page.is_disabled("#try-own")  # there is nothing to show yet
    _picture(path, pictures[0])
    _choose(page, path)
    assert "own.png, 32 x 24 pixels" in page.inner_text("#try-about")
    _picture(path, pictures[0, :20])
    _choose(page, path)
    assert "own.png, 32 x 20 pixels" in page.inner_text("#try-about")
    _act(page, lambda: page.select_option("#try-sample", "phantom"))
    assert "own.png" not in page.inner_text("#try-about")
    _act(page, lambda: page.select_option("#try-sample", ""))
    assert "own.png, 32 x 20 pixels" in page.inner_text("#try-about")
    assert page.is_hidden("#try-bm3d")


def test_a_dropped_picture_is_denoised(page, pictures):
    _, content = cv2.imencode(".png", np.rint(pictures[0] * 255).astype(np.uint8))
    _act(page, lambda: page.evaluate(DROP, ["own.png", content.ravel().tolist()]))
    assert "own.png, 32 x 24 pixels" in page.inner_text("#try-about")


def test_keyboard_reaches_and_moves_everything(page):
    page.focus("#try-sample")
    reached = []
    for _ in range(6):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.id"))
    names = ("file", "network", "noise", "left", "right", "divider")
    assert reached == [f"try-{name}" for name in names]
    page.keyboard.press("ArrowRight")
    assert (
        page.eval_on_selector("#try-stack", "stack => stack.style.getPropertyValue('--at')")
        == "51%"
    )
    page.focus("#try-noise")
    _act(page, lambda: page.keyboard.press("ArrowRight"))
    assert page.inner_text("#try-noise-words") == "0.09 grey levels (126 HU)"
    assert page.get_attribute("#try-noise", "aria-valuetext") == "0.09 grey levels (126 HU)"


def test_divider_shows_two_images(page):
    _act(page, lambda: page.select_option("#try-sample", "phantom"))
    page.select_option("#try-left", "bm3d")
    assert "BM3D" in page.get_attribute("#try-swipe-left", "aria-label")
    same = "() => document.querySelector('#try-swipe-left').toDataURL() === document.querySelector('#try-bm3d canvas').toDataURL()"
    assert page.evaluate(same)


def test_page_works_offline_after_the_first_visit(page):
    kept = "caches.keys().then(names => names.length && caches.open(names[0])).then(kept => kept && kept.keys()).then(keys => keys ? keys.map(key => key.url) : [])"
    needed = ("ct_scan.onnx", "threaded.wasm", "phantom_bm3d_0.13.png", "try.html")
    for _ in range(60):
        addresses = page.evaluate(kept)
        if all(any(one.endswith(name) for one in addresses) for name in needed):
            break
        page.wait_for_timeout(1000)
    page.context.set_offline(True)
    page.reload()
    page.denoised()
    _act(page, lambda: page.select_option("#try-sample", "phantom"))
    assert page.is_visible("#try-bm3d")


def test_nothing_is_uploaded(page, tmp_path, pictures):
    requests = []
    page.on("request", lambda request: requests.append((request.method, request.post_data)))
    _picture(tmp_path / "own.png", pictures[0])
    _act(page, lambda: page.set_input_files("#try-file", tmp_path / "own.png"))
    assert all(method == "GET" and data is None for method, data in requests)
