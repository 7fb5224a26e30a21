"""One picture of a run: a slice before and after, and what was removed."""

from ..plotting import before_and_after
from ..replaced import replaced
from .stream import removed_noise


def write_preview(path, scan, denoiser, strength):
    """Write a PNG file that shows the middle slice of a scan; no text of it comes from the scan.

    Parameters
    ----------
    path : Path
    scan : dicom.DicomScan, voxels.VoxelScan or pictures.PictureScan
    denoiser : function
    strength : float
        Share of the noise that is removed.

    Examples
    --------
    >>> write_preview(Path("preview.png"), scan, denoiser, 1.0)  # doctest: +SKIP
    """
    middle, (low, high) = scan.count // 2, scan.ends
    ((_, removed),) = removed_noise(
        denoiser,
        scan.read,
        scan.count,
        strength=strength,
        skip=lambda index: index != middle,
        ends=scan.ends,
    )
    width = high - low
    before = ((scan.read(middle) - low) / width).clip(0, 1)
    hu = width if scan.unit == "hu" else None
    figure = before_and_after(before[..., None], removed[..., None] / width, hu=hu)
    with replaced(path, "wb") as file:
        figure.savefig(file, format="png", dpi=200, metadata={"Software": None})
