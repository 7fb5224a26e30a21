"""Write every generated text: addresses, tables of results, run times.

`python docs/publish.py` writes them into README.md, pages of the site and the notebooks; a test fails where one is stale.
They come from pyproject.toml (the address under [project.urls]), the CSV files in helpers/results and docs/run_times.json.
A new table is one more entry of `parts`, and its two markers in the file that it names.
"""

import json
import re
from pathlib import Path

from helpers import comparison
from helpers.comparison import detection

ROOT = Path(__file__).resolve().parents[1]
README_METHODS = ["noisy", "gaussian", "ct_unet", "bm3d", "bm4d", "ct_scan", "ct_scan_25d"]
SCAN_METHODS = [*README_METHODS[:2], "bilateral", "nl_means", *README_METHODS[2:]]
BADGE = "https://colab.research.google.com/assets/colab-badge.svg"

SETUP_CELL = """\
# Set-up: nothing happens where this repository is installed. Elsewhere, as in Google Colab, fetch it.
try:
    import helpers.models  # before Keras itself: it keeps TensorFlow's start-up log quiet
except ImportError:
    import importlib
    import subprocess
    import sys

    address = "git+{address}"
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", address], check=True)
    importlib.invalidate_caches()
    import helpers.models"""


def notebooks(root=ROOT):
    """Return the files of all notebooks of the series, in order: the numbered ones, then the appendices."""
    return sorted(Path(root).glob("notebooks/*.ipynb"))


def solutions(root=ROOT):
    """Return the files of the notebooks that solve the exercises of the others."""
    return sorted(Path(root).glob("notebooks/solutions/*.ipynb"))


def every_notebook(root=ROOT):
    """Return all that is executed, compared with its stored outputs and shown on the site."""
    return [*notebooks(root), *solutions(root)]


def is_setup(source):
    """Tell whether the source of a code cell is that of the set-up cell."""
    return source.startswith(SETUP_CELL.partition("\n")[0])


def address(root=ROOT):
    """Return the address of the repository that pyproject.toml gives under [project.urls]."""
    text = Path(root, "pyproject.toml").read_text(encoding="utf-8")
    found = re.search(r'^\[project\.urls\]\nrepository = "(.+)"$', text, flags=re.MULTILINE)
    if not found:
        raise ValueError('pyproject.toml: expected a line repository = "..." under [project.urls]')
    return found[1]


def site_address(root=ROOT):
    """Return where GitHub publishes the site.

    >>> site_address().endswith(".github.io/denoising-autoencoders/")
    True
    """
    account, name = re.sub(r"^.*github\.com/|\.git$", "", address(root)).split("/")
    return f"https://{account}.github.io/{name}/"


def colab_badge(notebook, root=ROOT):
    """Return the Markdown of a badge that opens a notebook, named without its ending, in Google Colab."""
    repository = re.sub(r"^.*github\.com/|\.git$", "", address(root))
    link = f"https://colab.research.google.com/github/{repository}/blob/main/notebooks/{notebook}.ipynb"
    return f"[![Open in Colab]({BADGE})]({link})"


def minutes(seconds):
    """Write a run time: to the minute, as nobody's machine is the one that was measured.

    >>> minutes(20), minutes(170)
    ('1 minute', '3 minutes')
    """
    number = max(1, round(seconds / 60))
    return f"{number} minute{'s' * (number > 1)}"


def run_times(root=ROOT):
    """Return what `python docs/execute.py` has measured: {"machine": str, "seconds": {name: float}, ...}."""
    return json.loads(Path(root, "docs", "run_times.json").read_text(encoding="utf-8"))


def notebook_text(path, root=ROOT):
    """Return a notebook's file with today's badge, set-up cell and run time."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    title, *_ = (cell for cell in notebook["cells"] if cell["cell_type"] == "markdown")
    setup, *_ = (cell for cell in notebook["cells"] if cell["cell_type"] == "code")
    heading, _, text = "".join(title["source"]).partition("\n\n")
    text = re.sub(r"\A\[!\[Open in Colab\].*\n\n", "", text)
    time = minutes(run_times(root)["seconds"][path.stem])
    line = r"(\*\*Run time:\*\*) about \d+ minutes? on 2 CPU cores"
    text, count = re.subn(line, rf"\1 about {time} on 2 CPU cores", text)
    if count != 1:
        raise ValueError(
            f"{path.name}: expected one line '**Run time:** about N minutes on 2 CPU cores'"
        )
    title["source"] = f"{heading}\n\n{colab_badge(path.stem, root)}\n\n{text}".splitlines(True)
    setup["source"] = SETUP_CELL.replace("{address}", address(root)).splitlines(True)
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def notebooks_table(root=ROOT):
    """Return README's table of notebooks: title, question and run time of each."""
    rows = []
    for path in notebooks(root):
        opening = "".join(json.loads(path.read_text(encoding="utf-8"))["cells"][0]["source"])
        title = re.search(r"^# (.+)$", opening, flags=re.MULTILINE)[1]
        question = re.search(r"\*\*The question:\*\* (.+?)\n\n", opening, flags=re.DOTALL)[1]
        question = " ".join(question.split())
        time = minutes(run_times(root)["seconds"][path.stem]).replace("minute", "min").rstrip("s")
        link = f"[{title}](notebooks/{path.name})"
        rows.append([link, question[0].upper() + question[1:], time, colab_badge(path.stem, root)])
    return comparison.markdown_table(["notebook", "question", "run time", "open"], rows, left=2)


def who_knows_what(results):
    """Return which methods are told the noise, which see more than one slice, and what the times are of."""
    records = [entry["about"] for entry in results.values()]
    machine_of_bm3d = results["bm3d"]["machine"]
    told = sorted(record.label for record in records if record.told_std)
    volumes = sorted(record.label for record in records if record.volume)
    return (
        f"Told the strength of the noise: {', '.join(told)}. All filters were tuned at it. "
        f"Seeing neighbouring slices: {', '.join(volumes)}. Times on {machine_of_bm3d}; methods "
        "measured on another machine have none. Those of BM3D and BM4D are the times of the Python packages `bm3d` and "
        "`bm4d`. The training of networks is not counted."
    )


def of_single_slices(results):
    """Return those of `SCAN_METHODS` that see one slice alone, as their records say."""
    return [name for name in SCAN_METHODS if not results[name]["about"].volume]


def parts(root=ROOT):
    """Return the generated parts of texts: {file: {name of its markers: text}}."""
    levels, _ = comparison.read_results()
    of_transfer, settings_of_transfer = comparison.read_results(comparison.TRANSFER)
    images = settings_of_transfer["images"]
    summary = comparison.summarise(levels[comparison.STD], "bm3d")
    scans, of_scans = comparison.read_results(comparison.SCANNER)
    noise_hu = of_scans["noise_hu"]
    overlapping, of_overlap = comparison.read_results(comparison.OVERLAP)
    spots = detection.read_detection(detection.SCANNER_DETECTION)
    measured, site = run_times(root), site_address(root)
    seconds = measured["seconds"]
    alone = of_single_slices(levels[comparison.STD])
    series = sum(seconds[path.stem] for path in notebooks(root))
    return {
        "README.md": {
            "site": f"**[Read it on the web]({site})**, or [denoise a slice in your browser]({site}try.html).",
            "run times": f"About {minutes(series)} for all notebooks, about {minutes(seconds['pytest'])} for all "
            f"tests, measured on {measured['machine']}. Slower cores can take more than twice as long.",
            "notebooks": notebooks_table(root),
            "scans": comparison.scan_table(scans, noise_hu, README_METHODS),
        },
        "docs/results.md": {
            "scans": comparison.scan_table(scans, noise_hu, SCAN_METHODS),
            "leads of scans": comparison.lead_table(scans, "ct_scan"),
            "quality in a scan": comparison.quality_table(
                comparison.summarise(scans["hann, 80000 photons"], "bm3d"), "bm3d"
            ),
            "errors of scans in HU": comparison.scan_table(
                scans, noise_hu, README_METHODS, value=comparison.rmse_hu, digits=1
            ),
            "fineness of errors": comparison.scan_table(
                scans, noise_hu, README_METHODS, value=lambda e: e["error_frequency"], digits=3
            ),
            "leads of neighbours": comparison.lead_table(scans, "ct_scan_25d", reference="bm4d"),
            "scans that overlap": comparison.scan_table(
                overlapping, of_overlap["noise_hu"], comparison.OVERLAP_METHODS
            ),
            "leads over BM4D where slices overlap": comparison.lead_table(
                overlapping, "ct_scan_25d", reference="bm4d"
            ),
            "leads over one slice where slices overlap": comparison.lead_table(
                overlapping, "ct_scan_25d", reference="ct_scan"
            ),
            "spots in scans": comparison.detection_table(*spots, alone),
            "who knows what": who_knows_what(levels[comparison.STD]),
            "quality": comparison.quality_table(summary, "bm3d", times=True),
            "leads": comparison.lead_table(levels),
            # One for each, as each needs words of its own above it.
            **{
                f"leads of {name}": comparison.lead_table(levels, name)
                for name in comparison.DERIVED
            },
            "transfer": comparison.transfer_table(of_transfer, images),
            "transfer of the network for scans": comparison.transfer_table(
                of_transfer, images, "ct_scan"
            ),
        },
    }


def with_parts(path, generated):
    """Return a file's text with the generated parts between their markers."""
    text = path.read_text(encoding="utf-8")
    for name, part in generated.items():
        marked = rf"(<!-- begin {name} \([^>]*-->\n).*?(<!-- end {name} -->)"
        text, count = re.subn(
            marked, lambda found, part=part: f"{found[1]}{part}\n{found[2]}", text, flags=re.DOTALL
        )
        if count != 1:
            raise ValueError(f"{path.name}: expected markers 'begin {name}' and 'end {name}' once")
    return text


def texts(root=ROOT):
    """Return every file that holds generated text, as it should read: {path: text}."""
    root = Path(root)
    files = {path: notebook_text(path, root) for path in notebooks(root)}
    marked = {root / name: generated for name, generated in parts(root).items()}
    return files | {path: with_parts(path, generated) for path, generated in marked.items()}


def main():
    """Write all generated texts."""
    for path, text in texts().items():
        if text != path.read_text(encoding="utf-8"):
            path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
