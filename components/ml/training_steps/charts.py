"""Small charts as SVG text, made without a plotting library."""

from html import escape
from typing import Any

_FONT = 'font-family="sans-serif" font-size="12"'
_BLUE, _INK, _LINE = "rgb(46,107,177)", "rgb(40,40,40)", "rgb(200,200,200)"
_BARS = 20
_POINTS = 500


def bars(title: str, values: dict[str, float]) -> str:
    """A bar for each value, the first ones on top."""
    shown = list(values.items())[:_BARS]
    widest = max((abs(value) for _, value in shown), default=0) or 1
    parts = []
    for index, (name, value) in enumerate(shown):
        y, length = 40 + index * 22, max(1.0, 300 * max(value, 0) / widest)
        parts.append(_text(190, y + 12, name[:28], "end"))
        parts.append(f'<rect x="200" y="{y}" width="{length:.1f}" height="16" fill="{_BLUE}"/>')
        parts.append(_text(206 + length, y + 12, f"{value:.3g}"))
    return _svg(title, 580, 50 + len(shown) * 22, parts)


def matrix(title: str, labels: list[str], counts: list[list[int]]) -> str:
    """A table of true classes (rows) by predicted classes (columns), darker where it counts more."""
    size = 60 if len(labels) <= 10 else 30
    most = max(max(row) for row in counts) or 1
    parts = []
    for row, (label, line) in enumerate(zip(labels, counts, strict=True)):
        y = 70 + row * size
        parts.append(_text(120, y + size / 2 + 4, label[:18], "end"))
        parts.append(_text(130 + (row + 0.5) * size, 62, label[: size // 7], "middle"))
        for column, count in enumerate(line):
            share, x = count / most, 130 + column * size
            parts.append(
                f'<rect x="{x}" y="{y}" width="{size}" height="{size}" fill="{_BLUE}" '
                f'fill-opacity="{share:.3f}" stroke="{_LINE}"/>'
            )
            colour = "white" if share > 0.5 else _INK
            parts.append(_text(x + size / 2, y + size / 2 + 4, str(count), "middle", colour))
    parts.append(_text(130, 44, "predicted →, true ↓"))
    return _svg(title, max(360, 150 + len(labels) * size), 90 + len(labels) * size, parts)


def points(title: str, predicted: Any, residuals: Any) -> str:
    """A point for each row: predicted value across, what was missed upwards."""
    step = max(1, len(predicted) // _POINTS)
    xs = [float(value) for value in list(predicted)[::step]]
    ys = [float(value) for value in list(residuals)[::step]]
    left, right = min(xs), max(xs)
    far = max(abs(value) for value in ys) or 1.0
    width = (right - left) or 1.0
    parts = [f'<line x1="60" y1="160" x2="560" y2="160" stroke="{_LINE}"/>']
    for x, y in zip(xs, ys, strict=True):
        across, up = 60 + 500 * (x - left) / width, 160 - 110 * y / far
        parts.append(f'<circle cx="{across:.1f}" cy="{up:.1f}" r="2.5" fill="{_BLUE}" fill-opacity="0.5"/>')
    parts += [_text(60, 290, f"{left:.3g}"), _text(560, 290, f"{right:.3g}", "end")]
    parts += [_text(310, 290, "predicted", "middle"), _text(55, 54, f"{far:.3g}", "end")]
    parts += [_text(55, 164, "0", "end"), _text(55, 274, f"-{far:.3g}", "end")]
    return _svg(title, 580, 300, parts)


def _text(x: float, y: float, text: str, anchor: str = "start", colour: str = _INK) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {_FONT} fill="{colour}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(title: str, width: int, height: int, parts: list[str]) -> str:
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    ground = f'<rect width="{width}" height="{height}" fill="white"/>'
    heading = f'<text x="16" y="24" font-family="sans-serif" font-size="15" fill="{_INK}">{escape(title)}</text>'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{ground}{heading}{"".join(parts)}</svg>'
