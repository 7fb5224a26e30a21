"""Execute notebooks, store their outputs, and measure run times.

`python docs/execute.py` does it for all, appendices and solutions too, `python docs/execute.py 03_solutions` for one,
`python docs/execute.py pytest` measures the README's test command. The times go to docs/run_times.json and from
there into the texts (docs/publish.py). Nothing else should run meanwhile.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import time

import publish
from helpers.comparison import machine

TIMES = publish.ROOT / "docs" / "run_times.json"
METADATA = {  # nothing about this machine
    "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python"},
}


def code_hash(path):
    """Return a digest of a notebook's code cells without its set-up cell: what its run time belongs to."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    code = [source for source in code if not publish.is_setup(source)]
    return hashlib.sha256("\0".join(code).encode()).hexdigest()[:16]


def execute(path):
    """Execute a notebook in a fresh kernel, in its folder, and store it with its outputs."""
    command = [sys.executable, "-m", "jupyter", "execute", "--inplace"]
    command += ["--NotebookClient.record_timing=False", str(path)]
    subprocess.run(command, check=True)
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["metadata"] = METADATA
    for cell in notebook["cells"]:
        cell["metadata"].pop("execution", None)  # when each cell ran
    path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def main():
    """Read the command line, execute and measure."""
    notebooks = {path.stem: path for path in publish.every_notebook()}
    parser = argparse.ArgumentParser(prog="python docs/execute.py", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*notebooks, "pytest", []], metavar="NAME")
    times = json.loads(TIMES.read_text(encoding="utf-8")) if TIMES.exists() else {}
    times = {"seconds": {}, "code": {}, **times, "machine": f"{machine()}, without GPU"}
    for name in parser.parse_args().names or notebooks:
        start = time.perf_counter()
        if name in notebooks:
            execute(notebooks[name])
            times["code"][name] = code_hash(notebooks[name])
        else:
            subprocess.run([sys.executable, "-m", "pytest", "-q"], check=True, cwd=publish.ROOT)
        times["seconds"][name] = round(time.perf_counter() - start)
        TIMES.write_text(json.dumps(times, indent=2) + "\n", encoding="utf-8")
        print(f"{name}: {times['seconds'][name]} s")
        told = {path.stem for path in publish.notebooks()}
        if told <= times["seconds"].keys():  # a new one has no time before its turn
            publish.main()  # now, or pytest would find stale texts


if __name__ == "__main__":
    main()
