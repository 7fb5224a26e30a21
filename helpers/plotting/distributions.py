"""Many values at once: arrows from noisy to denoised points, maps of codes and of correlations."""

import numpy as np
from matplotlib import colormaps
from matplotlib.patches import Rectangle

from ..checks import check_whole
from .canvas import COLOURS, PHONE, check_some, finish, panels, show_error


def arrow_fields(clean, starts, ends, *, title=None):
    """Show where a denoiser of points in the plane moves them, one panel for each denoiser.

    Parameters
    ----------
    clean : array of shape (m, 2)
        The clean points.
    starts : array of shape (n, 2)
        Noisy points.
    ends : dict of str to array of shape (n, 2)
        Name of each denoiser and the denoised points.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure
        Each arrow runs from a noisy point to its denoised place.

    Raises
    ------
    ValueError
        If `ends` is empty, or its arrays and `starts` do not share a shape (n, 2).

    Examples
    --------
    >>> points = np.eye(2)
    >>> arrow_fields(points, points + 1, {"back": points})
    <Figure size 600x735 with 1 Axes>
    """
    shapes = {np.shape(points) for points in ends.values()} | {np.shape(starts)}
    if not ends or len(shapes) != 1 or np.ndim(starts) != 2 or np.shape(starts)[1] != 2:
        raise ValueError(f"ends: expected points of shape (n, 2) like starts, got {sorted(shapes)}")
    width = min(4.0, PHONE / len(ends))
    figure, axes = panels(1, len(ends), width * len(ends), width + 0.9, title)
    for axis in axes.flat[1:]:
        axis.sharex(axes[0, 0])
        axis.sharey(axes[0, 0])
        axis.tick_params(labelleft=False)
    arrows = {"angles": "xy", "scale_units": "xy", "scale": 1, "color": COLOURS[0], "width": 6e-3}
    arrows |= {"headwidth": 7, "headlength": 8, "headaxislength": 7, "minlength": 0.5, "zorder": 3}
    for axis, (name, points) in zip(axes.flat, ends.items()):
        axis.plot(*np.transpose(clean), ".", color=COLOURS[1], ms=3, label="clean points")
        axis.quiver(*np.transpose(starts), *np.transpose(points - starts), **arrows)
        axis.set(aspect="equal", title=name, xlabel="first coordinate")
    axes[0, 0].set_ylabel("second coordinate")
    return finish(figure)


def code_maps(codes, labels, *, n=1000, title=None):
    """Show two-dimensional codes as the digits they stand for, one panel below the other for each encoder.

    Parameters
    ----------
    codes : dict of str to array of shape (m, 2)
        Name of each encoder and its codes.
    labels : array of shape (m,)
        Class 0..9 of each code: its colour and the figure that is drawn.
    n : int
        How many codes to draw; all where there are fewer.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there are no codes, one is not two-dimensional, the number of labels differs, or `n` is no
        whole number above 0.

    Examples
    --------
    >>> code_maps({"identity": np.eye(2)}, np.array([3, 7]))
    <Figure size 750x690 with 1 Axes>
    """
    labels = np.asarray(labels)
    n = check_whole(n, "n", 1)
    check_some(codes, "codes")
    for name, points in codes.items():
        if np.shape(points) != (len(labels), 2):
            raise ValueError(
                f"codes: expected shape {(len(labels), 2)} in {name}, got {np.shape(points)}"
            )
    figure, axes = panels(len(codes), 1, 5.0, 4.3 * len(codes) + 0.3, title)
    for axis, (name, points) in zip(axes.flat, codes.items()):
        for digit in range(10):
            x, y = np.asarray(points)[:n][labels[:n] == digit].T
            colour = colormaps["tab10"](digit)
            axis.scatter(x, y, marker=f"${digit}$", s=55, lw=0.3, color=colour)
        axis.set(title=name, ylabel="second number of the code")
    axes[-1, 0].set_xlabel("first number of the code")
    return finish(figure)


def correlation_maps(maps, *, title=None):
    """Show how alike the noise of a pixel and that of its neighbours is, one panel for each noise.

    Parameters
    ----------
    maps : dict of str to array of shape (k, k)
        Name of each noise, and the correlation of each neighbour with the pixel in the middle, which is left out: k
        is odd.
    title : str, optional

    Returns
    -------
    matplotlib.figure.Figure
        Red is alike, white independent, blue opposite; the numbers are written into the cells.

    Raises
    ------
    ValueError
        If there is no map, or one is no square with a middle.

    Examples
    --------
    >>> correlation_maps({"white": np.zeros((3, 3)), "alike": np.ones((3, 3))})
    <Figure size 1080x540 with 2 Axes>
    """
    check_some(maps, "maps")
    maps = {name: np.array(values, float) for name, values in maps.items()}
    for name, values in maps.items():
        if values.ndim != 2 or values.shape[0] != values.shape[1] or len(values) % 2 == 0:
            raise ValueError(f"maps: expected odd squares, got shape {values.shape} in {name}")
    figure, axes = panels(1, len(maps), 3.6 * len(maps), 3.6, title)
    for axis, (name, values) in zip(axes.flat, maps.items()):
        middle = len(values) // 2
        values[middle, middle] = 0
        show_error(axis, values, 1)
        for (row, column), value in np.ndenumerate(values):
            text = "hole" if row == column == middle else f"{round(value, 1) + 0:.1f}"
            colour = "white" if abs(value) > 0.6 else "black"
            axis.text(column, row, text, ha="center", va="center", color=colour)
        hole = {"fill": False, "hatch": "///", "ec": "0.75", "lw": 1.5}
        axis.add_patch(Rectangle((middle - 0.5, middle - 0.5), 1, 1, **hole))
        axis.set(xticks=[], yticks=[], title=name)
    return finish(figure)
