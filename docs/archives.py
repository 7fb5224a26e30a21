"""Measure what an archive takes, and write it into docs/archives.md.

`python docs/archives.py` writes a small archive, made of copies of the training patient's scan, into a temporary folder,
denoises it with one and with two Dask workers of one thread, with the network that the command chooses, and takes about
ten minutes. Nothing else should run meanwhile. The numbers go to docs/archives.json and from there into the page.
"""

import json
import re
import resource
import sys
import tempfile
import time
from pathlib import Path

from pydicom import uid
from pydicom.dataset import Dataset, FileMetaDataset

import publish
from helpers.comparison import machine
from helpers.data import load_ct_hu
from helpers.scans import denoise_archive
from helpers.scans.dicom import write_image

PAGE = publish.ROOT / "docs" / "archives.md"
MEASURED = PAGE.with_suffix(".json")
SCANS = 2  # one for each of two workers, which begin at the same time
ONE_THREAD = {f"{name}_THREADS": "1" for name in ("OMP_NUM", "TF_NUM_INTRAOP", "TF_NUM_INTEROP")}
MACHINES, CORES, WANTED = (1, 10, 100), 8, 100_000  # what is extrapolated


def write_scan(folder, hu, number):
    """Write Hounsfield units (slices, height, width) as a DICOM series of nobody."""
    folder.mkdir(parents=True)
    series = uid.generate_uid(entropy_srcs=["archives", str(number)])
    for index, image in enumerate(hu):
        header = Dataset()
        header.SOPClassUID = uid.CTImageStorage
        header.SOPInstanceUID = uid.generate_uid(entropy_srcs=[series, str(index)])
        header.StudyInstanceUID = header.SeriesInstanceUID = series
        header.Modality, header.ImageType = "CT", ["ORIGINAL", "PRIMARY", "AXIAL"]
        header.Rows, header.Columns = image.shape
        header.PixelSpacing, header.ImagePositionPatient = [0.7, 0.7], [0, 0, 2.5 * index]
        header.ImageOrientationPatient = [1, 0, 0, 0, 1, 0]
        header.SamplesPerPixel, header.PhotometricInterpretation = 1, "MONOCHROME2"
        header.BitsAllocated = header.BitsStored = 16
        header.HighBit, header.PixelRepresentation = 15, 1
        header.RescaleSlope, header.RescaleIntercept = 1, 0
        header.file_meta = FileMetaDataset()
        header.file_meta.MediaStorageSOPClassUID = header.SOPClassUID
        header.file_meta.MediaStorageSOPInstanceUID = header.SOPInstanceUID
        header.file_meta.TransferSyntaxUID = uid.ExplicitVRLittleEndian
        pixels = image.round().astype("int16")
        with (folder / f"{index:04}.dcm").open("wb") as file:
            write_image(file, header, lambda pixels=pixels: iter([pixels]))


def peak_memory():
    """Return the most memory that this process has ever held, in MB."""
    unit = 2**20 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def measure(folder, hu, workers):
    """Denoise the archive in a folder with so many workers, which have loaded the network: (seconds, MB)."""
    from distributed import Client, LocalCluster

    start_up, out = folder / f"start-up-{workers}", folder / f"out-{workers}"
    for number in range(workers):
        write_scan(start_up / str(number), hu[:16], number)
    settings = {"threads_per_worker": 1, "memory_limit": None, "dashboard_address": None}
    with LocalCluster(n_workers=workers, env=ONE_THREAD, **settings) as cluster:
        address = cluster.scheduler_address
        denoise_archive(start_up, folder / f"started-{workers}", scheduler=address)
        start = time.perf_counter()
        scans = denoise_archive(folder / "archive", out, scheduler=address)
        seconds = time.perf_counter() - start
        assert not any(scan.fault for scan in scans), scans
        with Client(cluster) as client:
            return round(seconds, 1), round(max(client.run(peak_memory).values()))


def network(folder):
    """Return the name of the network that made the scans below a folder, as their reports say."""
    reports = [json.loads(path.read_text("utf-8")) for path in folder.rglob("denoise.json")]
    (name,) = {report["made_by"].split()[0] for report in reports}
    return name


def measure_all():
    """Return what is written to docs/archives.json."""
    (hu,) = load_ct_hu("train")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        for number in range(SCANS):
            write_scan(folder / "archive" / f"scan-{number}", hu, number)
        times = {workers: measure(folder, hu, workers) for workers in (1, 2)}
        model = network(folder)
        size = sum(file.stat().st_size for file in (folder / "out-1").rglob("*") if file.is_file())
    return {
        "machine": f"{machine()}, without GPU",
        "model": model,
        "scans": SCANS,
        "shape": list(hu.shape),
        "seconds": {str(workers): seconds for workers, (seconds, _) in times.items()},
        "memory_mb": max(memory for _, memory in times.values()),
        "written_mb_per_scan": round(size / SCANS / 1e6),
    }


def days(measured, machines, cores=CORES, scans=WANTED):
    """Return how many days so many scans take, if every core does what one of two workers did.

    >>> days({"scans": 4, "seconds": {"2": 120}}, machines=10, cores=6, scans=86_400)
    1.0
    """
    core_seconds = 2 * measured["seconds"]["2"] / measured["scans"]
    return scans * core_seconds / (machines * cores) / 86_400


def report(measured):
    """Write the measured part of the page in Markdown."""
    slices, height, width = measured["shape"]
    seconds = measured["seconds"]
    lines = [
        f"Measured on {measured['machine']}: {measured['scans']} scans of {slices} slices, {height} x {width} pixels, "
        f"with `{measured['model']}`. Workers of one thread had loaded the network.",
        "",
        "| workers | seconds per scan | scans per core and hour |",
        "| --- | ---: | ---: |",
    ]
    for workers in ("1", "2"):
        each = seconds[workers] / measured["scans"]
        lines.append(f"| {workers} | {each:.0f} | {3600 / each / int(workers):.0f} |")
    lines += [
        "",
        f"Two workers did {seconds['1'] / seconds['2']:.2f} times as much as one. A worker took at most "
        f"{measured['memory_mb'] / 1000:.1f} GB of memory. A denoised scan is {measured['written_mb_per_scan']} MB.",
        "",
        f"**Extrapolated, not measured:** {WANTED:,} such scans on machines of {CORES} cores, if every core does what one "
        "of the two workers did, and nobody waits for the storage or the network.",
        "",
        "| machines | days |",
        "| ---: | ---: |",
        *(f"| {machines} | {days(measured, machines):.1f} |" for machines in MACHINES),
    ]
    return "\n".join(lines)


def page(text, measured):
    """Return the page with the measured part, or raise ValueError where a marker is lost."""
    marked = r"(<!-- begin measured \([^>]*-->\n).*?(\n<!-- end measured -->)"
    text, count = re.subn(
        marked, lambda found: found[1] + report(measured) + found[2], text, flags=re.DOTALL
    )
    if count != 1:
        raise ValueError(
            f"{PAGE.name}: expected markers 'begin measured' and 'end measured' once, got {count}"
        )
    return text


def main():
    """Measure, and write the numbers and the page."""
    measured = measure_all()
    MEASURED.write_text(json.dumps(measured, indent=2) + "\n", encoding="utf-8")
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), measured), encoding="utf-8")


if __name__ == "__main__":
    main()
