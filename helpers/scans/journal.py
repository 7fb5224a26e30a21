"""The journal of a run: what is done already, and in the end the report."""

import json
from pathlib import Path

import numpy as np

from ..replaced import UNFINISHED, naming, replaced

# What may differ in a run that finds nothing left to do: no series is made by two versions, or has two numbers.
_OF_THE_MAKING = ("versions", "series_numbers")


class Journal:
    """Notes which slices are stored, so that an interrupted run can go on, and writes the report.

    Made, it has only looked at the destination; `begin` is the first to write.

    While the run goes on the notes are in `denoise.notes` in the destination, one line each; in the end `denoise.json`
    takes their place. Where the destination is a file, they lie beside it, under its name with these endings.

    Parameters
    ----------
    writer : dicom.DicomWriter, voxels.VoxelWriter or pictures.PictureWriter
        Its `destination` is a file if `is_file` is true, else a folder, which is made if need be; `files` are what it
        will write, or that folder; `holds(index)` tells whether a slice is still there. The plan tells what `packages`
        it writes with, and what it has `noted`.
    plan : dict
        What the run depends on; a run goes on only where it is the same. `_OF_THE_MAKING` does not count once a run is
        complete: then it stays in the report as it was.
    unit : str
        Of what is removed, for the names in the report.
    overwrite, resume : bool
        See `denoise_scan`.

    Raises
    ------
    FileExistsError
        If the destination holds files and neither `overwrite` nor `resume` is true.
    ValueError
        If there is nothing to go on with, or it was another run.
    """

    def __init__(self, writer, plan, unit, *, overwrite, resume):
        destination = writer.destination
        self.folder, self.beside = destination, destination / "denoise"
        if writer.is_file:
            self.folder, self.beside = destination.parent, Path(f"{destination}.denoise")
        self.path, self.report = (Path(f"{self.beside}.{end}") for end in ("notes", "json"))
        self.plan, self.unit, self.done = plan, unit, {}
        holds = any(path.exists() for path in (*writer.files, self.path, self.report))
        if not writer.is_file:
            holds = destination.exists() and any(
                path.suffix != UNFINISHED for path in destination.iterdir()
            )
        if holds and not overwrite and not resume:
            wanted, it = "a new or an empty folder", "it holds files"
            if writer.is_file:
                wanted, it = "a new file", "it is there already, or has been begun"
            raise FileExistsError(f"{destination}: expected {wanted}; {it} (--overwrite, --resume)")
        if resume and holds:
            self._read(writer)

    def begin(self):
        """Make the folder and write the notes anew, or raise OSError; an old report counts no longer."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with replaced(self.path) as file:  # anew: a line may have been broken off
            file.writelines(json.dumps(line) + "\n" for line in (self.plan, *self.done.values()))
        self.report.unlink(missing_ok=True)  # last: without report and notes, nothing could go on

    def _read(self, writer):
        """Read what an earlier run has noted; a line that was broken off does not count."""
        destination = writer.destination
        whole = not self.path.exists()  # notes are newer than a report beside them
        if whole and not self.report.exists():
            raise ValueError(
                f"{destination}: expected an interrupted run, its files are not of this program"
            )
        path = self.report if whole else self.path
        try:
            if whole:
                head = json.loads(path.read_text(encoding="utf-8"))
                notes = head["files"]
            else:
                first, *lines = path.read_text(encoding="utf-8").split("\n")
                head, notes = json.loads(first), [json.loads(line) for line in lines[:-1]]
            plan = {key: head.get(key) for key in _OF_THE_MAKING}
            plan |= {key: head[key] for key in self.plan if key not in plan}
            done = {note["slice"]: note for note in notes}
        except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
            raise ValueError(f"{path}: expected the notes of an interrupted run") from error
        self._check_same(plan, destination, [key for key in plan if key not in _OF_THE_MAKING])
        if not done.keys() <= set(range(self.plan["slices"])):
            raise ValueError(f"{path}: expected the notes of an interrupted run")
        self.done = {index: note for index, note in done.items() if writer.holds(index)}
        if whole and len(self.done) == self.plan["slices"]:
            self.plan = self.plan | {key: plan[key] for key in _OF_THE_MAKING if key in self.plan}
        self._check_same(plan, destination, _OF_THE_MAKING)

    def _check_same(self, plan, destination, keys):
        """Raise ValueError if an earlier run depended on something else."""
        other = [key for key in keys if plan.get(key) != self.plan.get(key)]
        expected, got = ({key: one.get(key) for key in other} for one in (plan, self.plan))
        if other:
            what = other[0] if len(other) == 1 and other[0] in _OF_THE_MAKING else "arguments"
            raise ValueError(
                f"{destination}: expected the {what} of the interrupted run, {expected}, got {got}"
            )

    def has(self, index):
        """True if a slice is done."""
        return index in self.done

    def add(self, index, name, removed):
        """Note that a slice is stored, and what was removed from it."""
        self.done[index] = note = {
            "slice": index,
            "file": name,
            f"removed_{self.unit}": round(float(np.std(removed)), 5),
            f"mean_shift_{self.unit}": round(0.0 - float(np.mean(removed)), 5),
        }
        with naming(self.path), self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(note) + "\n")

    def finish(self, told):
        """Write the report, with what else is told of the run, a dict, and return it."""
        files = [self.done[index] for index in sorted(self.done)]
        report = self.plan | told | {"files": files}
        with replaced(self.report) as file:
            file.write(json.dumps(report, indent=2) + "\n")
        self.path.unlink(missing_ok=True)
        return report
