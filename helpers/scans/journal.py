"""The journal of a run: what is done already, and in the end the report."""

import json

import numpy as np

from ..replaced import replaced

REPORT = "denoise.json"
_NOTES = "denoise.notes"


class Journal:
    """Notes which slices lie in the destination, so that an interrupted run can go on, and writes the report.

    A slice is noted when its file is complete. While the run goes on the notes are in `denoise.notes`, one line each; in
    the end `denoise.json` takes their place.

    Parameters
    ----------
    destination : Path
        A folder, which is made if need be.
    plan : dict
        What the run depends on; a run goes on only where it is the same.
    overwrite, resume : bool
        See `denoise_scan`.

    Raises
    ------
    FileExistsError
        If the destination holds files and neither `overwrite` nor `resume` is true.
    ValueError
        If there is nothing to go on with, or it was another run.
    OSError
        If the folder cannot be made or written.
    """

    def __init__(self, destination, plan, *, overwrite, resume):
        self.path, self.report = destination / _NOTES, destination / REPORT
        self.plan, self.done, self._waiting = plan, {}, {}
        holds = destination.exists() and any(
            path.suffix != ".unfinished" for path in destination.iterdir()
        )
        if holds and not overwrite and not resume:
            raise FileExistsError(
                f"{destination}: expected a new or an empty folder; it holds files (--overwrite, --resume)"
            )
        destination.mkdir(parents=True, exist_ok=True)
        if resume and holds:
            self._read(destination)
        else:
            self.report.unlink(missing_ok=True)
        with replaced(self.path) as file:  # anew: a line may have been broken off
            file.writelines(json.dumps(line) + "\n" for line in (plan, *self.done.values()))

    def _read(self, destination):
        """Read what an earlier run has noted; a line that was broken off does not count."""
        whole = self.report.exists()
        if not whole and not self.path.exists():
            raise ValueError(
                f"{destination}: expected an interrupted run, its files are not of this program"
            )
        if whole:
            report = json.loads(self.report.read_text(encoding="utf-8"))
            plan, notes = {key: report.get(key) for key in self.plan}, report["files"]
        else:
            first, *lines = self.path.read_text(encoding="utf-8").split("\n")
            plan, notes = json.loads(first), [json.loads(line) for line in lines[:-1]]
        if plan != self.plan:
            raise ValueError(
                f"{destination}: expected the arguments of the interrupted run, {plan}, got {self.plan}"
            )
        self.done = {note["slice"]: note for note in notes if (destination / note["file"]).exists()}

    def has(self, index):
        """True if a slice is done."""
        return index in self.done

    def add(self, index, name, removed):
        """Remember what was removed from a slice."""
        note = {
            "slice": index,
            "file": name,
            "removed_hu": round(float(np.std(removed)), 3),
            "mean_shift_hu": round(-float(np.mean(removed)), 3),
        }
        self._waiting.setdefault(name, []).append(note)

    def keep(self, name):
        """Note that a file is complete."""
        notes = self._waiting.pop(name)
        with self.path.open("a", encoding="utf-8") as file:
            file.writelines(json.dumps(note) + "\n" for note in notes)
        self.done |= {note["slice"]: note for note in notes}

    def finish(self):
        """Write the report, and return it."""
        report = self.plan | {"files": [self.done[index] for index in sorted(self.done)]}
        with replaced(self.report) as file:
            file.write(json.dumps(report, indent=2) + "\n")
        self.path.unlink(missing_ok=True)
        return report
