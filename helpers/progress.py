"""A progress line that leaves nothing behind, in a terminal and in a stored notebook."""

import sys


class ProgressLine:
    """One line that is overwritten while work goes on, and removed when it ends.

    In a notebook the line is a display that is updated in place and emptied at the end, so that nothing of it
    is stored. In a terminal it is rewritten on stderr. Anywhere else (a log file, pytest) nothing is shown.

    Examples
    --------
    >>> with ProgressLine() as line:
    ...     for step in range(3):
    ...         line.update(f"step {step + 1} of 3")
    """

    def __enter__(self):
        self._display = _notebook_display()
        return self

    def update(self, text):
        """Show `text` instead of what the line showed before."""
        if self._display is not None:
            self._display.update({"text/plain": text}, raw=True)
        elif sys.stderr.isatty():
            sys.stderr.write(f"\r\x1b[K{text}")
            sys.stderr.flush()

    def __exit__(self, *error):
        if self._display is not None:
            self._display.update({}, raw=True)
        elif sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()


def _notebook_display():
    """Return an empty display that can be updated if this runs in a notebook, else None."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if getattr(shell, "kernel", None) is None:
        return None
    return ipython.display.display({}, raw=True, display_id=True)
