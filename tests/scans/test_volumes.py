"""helpers.scans.voxels: NIfTI, NRRD and MetaImage files, from file to file and out of DICOM."""

import json
import os
import shutil
from types import SimpleNamespace

import nibabel
import numpy as np
import pydicom
import pytest
import SimpleITK as sitk
from scans_of_tests import contents, image_file, write

from helpers.data import load_nifti
from helpers.hounsfield import WINDOW_WIDTH, window
from helpers.scans import denoise_scan

MODEL = "ct_unet_small"


@pytest.fixture
def volume(rng):
    """Axial slices of 20 x 28 pixels, from feet to head, in Hounsfield units; some lie outside the window."""
    y, x = np.mgrid[0:20, 0:28]
    hu = (-700 + 20 * y + 15 * x + rng.normal(0, 40, (6, 20, 28))).round().astype(np.int16)
    hu[:, :2], hu[:, -2:] = -2048, 3000
    return hu


def save_nifti(path, volume, dtype=np.int16, axes="RAS", slope=None, endian="<"):
    """Write axial slices as NIfTI, stored along any axes."""
    array = volume[:, ::-1, ::-1].transpose(2, 1, 0)
    affine = np.diag([0.7, 0.8, 2.5, 1])
    affine[:3, 3] = -10, 20, 30
    image = nibabel.Nifti1Image(array.astype(dtype), affine)
    turn = nibabel.orientations.ornt_transform(
        nibabel.io_orientation(affine), nibabel.orientations.axcodes2ornt(axes)
    )
    image = image.as_reoriented(turn)
    header = nibabel.Nifti1Header(endianness=endian)
    header.set_data_dtype(dtype)
    header.set_xyzt_units("mm")
    header["descrip"] = b"as the scanner made it"
    header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"a note"))
    image = nibabel.Nifti1Image(image.dataobj, image.affine, header)
    if slope:
        image.header.set_slope_inter(*slope)
        image = nibabel.Nifti1Image(
            np.asarray(image.dataobj) * slope[0] + slope[1], image.affine, image.header
        )
        image.header.set_slope_inter(*slope)
    nibabel.save(image, path)
    return path


def expected(volume, denoiser):
    """What a network of single slices makes of a volume in Hounsfield units."""
    grey = window(volume)[..., None]
    removed = (grey - denoiser(grey))[..., 0] * WINDOW_WIDTH
    return np.where((volume < -1000) | (volume > 400), volume, volume - removed)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("axes", ["RAS", "LPS", "PIR", "SLA"])
def test_networks_see_axial_slices_however_they_are_stored(axes, suffix, volume, tmp_path, shipped):
    path = save_nifti(tmp_path / f"scan{suffix}", volume, axes=axes)
    out = tmp_path / f"out{suffix}"
    report = denoise_scan(path, out, model=MODEL)
    old, new = nibabel.load(path), nibabel.load(out)
    assert new.header == old.header and (new.affine == old.affine).all()
    assert new.header.extensions == old.header.extensions
    denoised = load_nifti(out)
    assert np.abs(denoised - expected(volume, shipped[MODEL])).max() <= 0.5 + 1e-3
    outside = (volume < -1000) | (volume > 400)
    assert outside.any() and (denoised[outside] == volume[outside]).all()
    assert report["slices"] == 6 and report["files"][0]["removed_hu"] > 0
    assert json.loads((tmp_path / f"out{suffix}.denoise.json").read_text()) == report
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(
        [path.name, out.name, out.name + ".denoise.json"]
    )


@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "i4", "i8", "f4", "f8"])
@pytest.mark.parametrize("endian", "<>")
def test_type_and_scale_are_kept(dtype, endian, volume, tmp_path, shipped):
    kind = np.dtype(dtype)
    stored = volume.astype(float) + 3000 * (kind.kind == "u")
    slope = (1.0, -3000.0) if kind.kind == "u" else (2.0, 24.0)
    if dtype == "u1":
        stored, slope = (stored.clip(2000, 3400) - 1900) // 6, (6.0, -1100.0)
    path = tmp_path / "scan.nii"
    header = nibabel.Nifti1Header(endianness=endian)
    header.set_data_dtype(kind)
    header.set_data_shape(stored.shape[::-1])
    header.set_sform(np.diag([-0.7, -0.7, 2, 1]), 1)
    header.set_slope_inter(*slope)
    header["vox_offset"], header["magic"] = 352, b"n+1"
    header = header.binaryblock + bytes(4)
    path.write_bytes(header + stored.astype(kind.newbyteorder(endian)).tobytes())
    denoise_scan(path, tmp_path / "out.nii", model=MODEL, save_noise=True)
    content = (tmp_path / "out.nii").read_bytes()
    assert content[:352] == header and len(content) == path.stat().st_size
    before = nibabel.load(path).get_fdata()
    after = nibabel.load(tmp_path / "out.nii").get_fdata()
    wanted = expected(before.transpose(2, 1, 0), shipped[MODEL]).transpose(2, 1, 0)
    step = 0 if kind.kind == "f" else slope[0] / 2
    assert np.abs(after - wanted).max() <= step + 1e-2
    noise = nibabel.load(tmp_path / "out.noise.nii")
    assert noise.get_data_dtype() == np.float32
    np.testing.assert_allclose(noise.get_fdata(), before - after, atol=1e-3)
    np.testing.assert_array_equal(noise.affine, nibabel.load(path).affine)


def test_strength_0_gives_the_same_file(volume, tmp_path):
    path = save_nifti(tmp_path / "scan.nii", volume)
    denoise_scan(path, tmp_path / "out.nii", model=MODEL, strength=0)
    assert (tmp_path / "out.nii").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("suffix", [".nii.gz", ".nrrd", ".mha"])
def test_an_interrupted_run_goes_on_with_the_same_bytes(suffix, volume, tmp_path, monkeypatch):
    from helpers.scans import spool, stream

    monkeypatch.setattr(stream, "SLAB", 2)
    path = tmp_path / f"scan{suffix}"
    if suffix == ".nii.gz":
        save_nifti(path, volume)
    else:
        sitk.WriteImage(sitk.GetImageFromArray(volume), str(path))
    options = {"model": "ct_unet_25d", "save_noise": True, "preview": True}
    denoise_scan(path, tmp_path / "whole" / f"a{suffix}", **options)
    put, places = spool.Spool.put, []

    def stopped(self, where, *rest):
        put(self, where, *rest)
        places.append(where)
        if len(places) == 7:
            raise KeyboardInterrupt

    monkeypatch.setattr(spool.Spool, "put", stopped)
    out = tmp_path / "out" / f"a{suffix}"
    with pytest.raises(KeyboardInterrupt):
        denoise_scan(path, out, **options)
    assert not out.exists()
    with pytest.raises(FileExistsError, match=r"expected a new file; it is there already, or has"):
        denoise_scan(path, out, **options)
    with pytest.raises(ValueError, match="expected the arguments of the interrupted run"):
        denoise_scan(path, out, model="ct_unet_25d", resume=True)
    denoise_scan(path, out, **options, resume=True)
    assert places == [0, 0, 1, 1, 2, 2, 3, 3, 3, 4, 4, 5, 5]  # what was done is not done again
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
    denoise_scan(path, out, **options, resume=True)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
    (tmp_path / "out" / f"a.noise{suffix}").unlink()
    denoise_scan(path, out, **options, resume=True)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")
    denoise_scan(path, out, **options, overwrite=True)
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


@pytest.mark.parametrize("suffix", [".nrrd", ".mha", ".mhd", ".nhdr"])
def test_nrrd_and_metaimage(suffix, volume, tmp_path, shipped):
    image = sitk.GetImageFromArray(volume)
    image.SetSpacing((0.7, 0.8, 2.5))
    image.SetOrigin((5, 6, 7))
    image.SetMetaData("comment", "kept")
    path = tmp_path / f"scan{suffix}"
    sitk.WriteImage(image, str(path))
    out = tmp_path / ("out.nrrd" if suffix in (".nrrd", ".nhdr") else "out.mha")
    denoise_scan(path, out, model=MODEL)
    new = sitk.ReadImage(str(out))
    for name in ("GetSpacing", "GetOrigin", "GetDirection", "GetPixelID", "GetSize"):
        assert getattr(new, name)() == getattr(image, name)()
    if suffix == ".nrrd":
        assert new.GetMetaData("comment") == "kept"
    denoised = sitk.GetArrayFromImage(new).astype(float)
    assert np.abs(denoised - expected(volume, shipped[MODEL])).max() <= 0.5 + 1e-3


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize(
    "orientation", [[1, 0, 0, 0, 1, 0], [1, 0, 0, 0, 0, -1], [0.8, 0.6, 0, -0.6, 0.8, 0]]
)
def test_dicom_to_nifti_lies_where_simpleitk_says(orientation, suffix, tmp_path):
    normal = np.cross(orientation[:3], orientation[3:])
    files = [
        image_file(
            k,
            ImageOrientationPatient=orientation,
            ImagePositionPatient=[
                float(f"{n:.4f}") for n in np.array([-120, 30, 7]) + 2.5 * k * normal
            ],
            PixelSpacing=[0.9, 0.7],
        )
        for k in range(5)
    ]
    write(tmp_path / "scan", files)
    out = tmp_path / f"out{suffix}"
    denoise_scan(tmp_path / "scan", out, model=MODEL, strength=0)
    reader = sitk.ImageSeriesReader()
    reader.SetFileNames(reader.GetGDCMSeriesFileNames(str(tmp_path / "scan")))
    sitk.WriteImage(reader.Execute(), str(tmp_path / "theirs.nii"))
    ours, theirs = nibabel.load(out), nibabel.load(tmp_path / "theirs.nii")
    np.testing.assert_allclose(ours.affine, theirs.affine, atol=1e-3)
    np.testing.assert_array_equal(ours.get_fdata(), theirs.get_fdata())
    assert ours.get_data_dtype() == np.int16
    text = out.read_bytes() if suffix == ".nii" else out.with_suffix("").name.encode()
    assert b"Secret" not in text and b"4711" not in text


def test_dicom_to_nifti_of_slopes_that_are_no_whole_numbers(tmp_path):
    files = [image_file(k, RescaleSlope=0.5, RescaleIntercept=-512) for k in range(3)]
    write(tmp_path / "scan", files)
    denoise_scan(tmp_path / "scan", tmp_path / "out.nii", model=MODEL, save_noise=True)
    image = nibabel.load(tmp_path / "out.nii")
    assert image.get_data_dtype() == np.float32
    noise = nibabel.load(tmp_path / "out.noise.nii").get_fdata()
    hu = np.stack([file.pixel_array * 0.5 - 512 for file in files]).transpose(2, 1, 0)
    np.testing.assert_allclose(image.get_fdata() + noise, hu, atol=1e-3)
    assert noise.std() > 0.1


@pytest.mark.parametrize("suffix", [".nrrd", ".mha"])
@pytest.mark.parametrize(("short", "message"), [("memory", "the memory"), ("disk", "has room for")])
def test_a_volume_that_has_no_room_is_not_read(
    short, message, suffix, volume, tmp_path, monkeypatch
):
    """Its head alone tells the size."""
    path = tmp_path / f"scan{suffix}"
    sitk.WriteImage(sitk.GetImageFromArray(volume), str(path))
    if short == "memory":
        monkeypatch.setattr(os, "sysconf", lambda name: 80)
    else:
        monkeypatch.setattr(shutil, "disk_usage", lambda folder: SimpleNamespace(free=6719))
    monkeypatch.setattr(sitk.ImageFileReader, "Execute", None)
    with pytest.raises(
        ValueError, match=rf"{path.name}: .*unpacked it has 6720 bytes, .*{message}"
    ):
        denoise_scan(path, tmp_path / f"out{suffix}", model=MODEL)


def test_a_volume_in_the_place_of_its_source_is_refused(volume, tmp_path):
    path = save_nifti(tmp_path / "scan.nii", volume)
    with pytest.raises(ValueError, match="expected a folder outside of the source"):
        denoise_scan(path, path, model=MODEL, overwrite=True)


def test_pydicom_reads_nothing_of_the_patient(scan, tmp_path):
    denoise_scan(scan, tmp_path / "out.nii", model=MODEL)
    secret = str(pydicom.dcmread(next(scan.rglob("*.dcm"))).PatientName)
    for content in contents(tmp_path).items():
        if "scan" not in content[0]:
            assert secret.encode() not in content[1]
