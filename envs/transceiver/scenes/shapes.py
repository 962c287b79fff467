"""The nouns of the captioned scenes, drawn with a pen in coordinates of the object (centre 0, radius 1, y down)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import ImageDraw

Point = tuple[float, float]
Colour = np.ndarray


@dataclass
class Pen:
    """Draws on a picture in the object's own coordinates, in shades of the object's colour."""

    draw: ImageDraw.ImageDraw
    centre_x: float
    centre_y: float
    radius: float
    base: Colour
    light: float
    flip: bool

    def tone(self, shade: float) -> Colour:
        """The object's colour, darker (shade < 0) or lighter (shade > 0)."""
        target = 255.0 if shade > 0 else 0.0
        return self.base + (target * self.light - self.base) * abs(shade)

    def lit(self, red: int, green: int, blue: int) -> Colour:
        """A colour of its own (a stem, a wheel) in the light of the place."""
        return np.array([red, green, blue]) * self.light

    def polygon(self, points: list[Point], colour: Colour) -> None:
        """Fill a polygon."""
        self.draw.polygon([self._at(*p) for p in points], fill=_rgb(colour))

    def ellipse(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        """Fill an axis-parallel ellipse around (x, y)."""
        cx, cy = self._at(x, y)
        rx, ry = rx * self.radius, ry * self.radius
        self.draw.ellipse([cx - rx, cy - ry, cx + rx, cy + ry], fill=_rgb(colour))

    def ring(self, x: float, y: float, rx: float, ry: float, width: float, colour: Colour) -> None:
        """Draw the outline of an ellipse."""
        cx, cy = self._at(x, y)
        rx, ry = rx * self.radius, ry * self.radius
        self.draw.ellipse(
            [cx - rx, cy - ry, cx + rx, cy + ry], outline=_rgb(colour), width=max(1, round(width * self.radius))
        )

    def line(self, points: list[Point], width: float, colour: Colour) -> None:
        """Draw an open line."""
        self.draw.line(
            [self._at(*p) for p in points],
            fill=_rgb(colour),
            width=max(1, round(width * self.radius)),
            joint="curve",
        )

    def shadow(self, ground: tuple[int, int, int]) -> None:
        """The object's shadow on the ground."""
        self.ellipse(0.1, 1.0, 1.05, 0.2, np.array(ground) * 0.7)

    def _at(self, x: float, y: float) -> Point:
        return self.centre_x + (-x if self.flip else x) * self.radius, self.centre_y + y * self.radius


def _rgb(colour: Colour) -> tuple[int, int, int]:
    red, green, blue = np.clip(colour, 0, 255).astype(int)
    return int(red), int(green), int(blue)


def _apple(pen: Pen) -> None:
    pen.ellipse(-0.28, 0.18, 0.68, 0.8, pen.base)
    pen.ellipse(0.28, 0.18, 0.68, 0.8, pen.base)
    pen.ellipse(0.0, 0.3, 0.8, 0.7, pen.base)
    pen.ellipse(-0.4, -0.1, 0.2, 0.26, pen.tone(0.45))
    pen.line([(0.0, -0.5), (0.1, -1.0)], 0.13, pen.lit(96, 62, 30))
    pen.polygon([(0.1, -0.72), (0.42, -1.05), (0.86, -0.92), (0.5, -0.66)], pen.lit(50, 140, 50))


def _lemon(pen: Pen) -> None:
    pen.ellipse(0, 0.32, 0.92, 0.66, pen.base)
    pen.polygon([(0.7, 0.0), (1.22, 0.22), (1.22, 0.44), (0.7, 0.66)], pen.base)
    pen.polygon([(-0.7, 0.0), (-1.22, 0.22), (-1.22, 0.44), (-0.7, 0.66)], pen.base)
    pen.ellipse(-0.28, 0.1, 0.36, 0.16, pen.tone(0.45))
    pen.ellipse(0.1, 0.72, 0.5, 0.14, pen.tone(-0.18))


def _cat(pen: Pen) -> None:
    pen.polygon([(-0.82, 0.1), (-0.86, -1.0), (-0.2, -0.5)], pen.base)
    pen.polygon([(0.82, 0.1), (0.86, -1.0), (0.2, -0.5)], pen.base)
    pen.ellipse(0, 0.2, 0.9, 0.8, pen.base)
    for side in (-1, 1):
        pen.ellipse(0.36 * side, 0.02, 0.22, 0.24, pen.lit(250, 250, 210))
        pen.ellipse(0.36 * side, 0.02, 0.1, 0.22, pen.lit(20, 20, 24))
        pen.line([(0.3 * side, 0.5), (1.0 * side, 0.4)], 0.06, pen.tone(-0.5))
    pen.polygon([(-0.14, 0.36), (0.14, 0.36), (0, 0.54)], pen.lit(240, 130, 150))


def _bird(pen: Pen) -> None:
    pen.polygon([(-0.6, 0.3), (-1.25, -0.05), (-1.15, 0.5)], pen.tone(-0.3))
    pen.ellipse(-0.1, 0.35, 0.75, 0.55, pen.base)
    pen.ellipse(0.55, -0.3, 0.42, 0.42, pen.base)
    pen.polygon([(0.9, -0.42), (1.4, -0.22), (0.9, -0.08)], pen.lit(240, 150, 30))
    pen.ellipse(0.64, -0.38, 0.1, 0.1, pen.lit(16, 16, 20))
    pen.ellipse(-0.2, 0.32, 0.42, 0.28, pen.tone(-0.3))
    for x in (-0.2, 0.15):
        pen.line([(x, 0.8), (x, 1.05)], 0.08, pen.lit(220, 140, 40))


def _cup(pen: Pen) -> None:
    pen.ring(0.72, 0.1, 0.42, 0.46, 0.18, pen.tone(-0.15))
    pen.polygon([(-0.75, -0.6), (0.75, -0.6), (0.62, 0.9), (-0.62, 0.9)], pen.base)
    pen.ellipse(0, 0.9, 0.62, 0.14, pen.base)
    pen.polygon([(-0.62, -0.5), (-0.38, -0.5), (-0.34, 0.85), (-0.52, 0.85)], pen.tone(0.35))
    pen.ellipse(0, -0.6, 0.75, 0.2, pen.tone(-0.45))


def _ball(pen: Pen) -> None:
    pen.ellipse(0, 0.1, 0.9, 0.9, pen.base)
    angles = np.linspace(-0.85, 0.85, 9)
    for side in (-1, 1):
        seam = [(side * (1.05 - 0.75 * np.cos(a)), 0.1 + 0.85 * np.sin(a)) for a in angles]
        pen.line(seam, 0.1, pen.tone(-0.4))
    pen.ellipse(-0.2, -0.32, 0.2, 0.16, pen.tone(0.6))


def _tree(pen: Pen) -> None:
    pen.polygon([(-0.16, 0.2), (0.16, 0.2), (0.22, 1.0), (-0.22, 1.0)], pen.lit(110, 72, 40))
    for x, y, r in ((-0.42, -0.2, 0.52), (0.42, -0.2, 0.52), (0.0, -0.65, 0.6), (0.0, 0.0, 0.5)):
        pen.ellipse(x, y, r, r, pen.base)
    pen.ellipse(-0.2, -0.75, 0.24, 0.2, pen.tone(0.35))


def _house(pen: Pen) -> None:
    pen.polygon([(-0.78, -0.2), (0.78, -0.2), (0.78, 1.0), (-0.78, 1.0)], pen.base)
    pen.polygon([(-1.05, -0.15), (0, -1.05), (1.05, -0.15)], pen.tone(-0.4))
    pen.polygon([(-0.5, 0.35), (-0.1, 0.35), (-0.1, 1.0), (-0.5, 1.0)], pen.lit(96, 62, 36))
    pen.polygon([(0.2, 0.15), (0.58, 0.15), (0.58, 0.52), (0.2, 0.52)], pen.lit(190, 226, 250))


def _fish(pen: Pen) -> None:
    pen.polygon([(-0.6, 0.3), (-1.25, -0.2), (-1.25, 0.8)], pen.tone(-0.3))
    pen.polygon([(-0.2, -0.15), (0.15, -0.6), (0.4, -0.1)], pen.tone(-0.3))
    pen.ellipse(0.15, 0.3, 0.9, 0.55, pen.base)
    pen.ellipse(0.62, 0.16, 0.14, 0.14, pen.lit(250, 250, 250))
    pen.ellipse(0.65, 0.16, 0.08, 0.08, pen.lit(10, 10, 14))
    pen.line([(0.3, 0.05), (0.2, 0.3), (0.3, 0.55)], 0.08, pen.tone(-0.4))


def _flower(pen: Pen) -> None:
    pen.line([(0, 0.1), (0, 1.0)], 0.14, pen.lit(50, 140, 50))
    pen.polygon([(0, 0.75), (0.5, 0.42), (0.35, 0.75)], pen.lit(50, 140, 50))
    for angle in np.arange(6) * np.pi / 3:
        pen.ellipse(0.48 * np.cos(angle), -0.35 + 0.48 * np.sin(angle), 0.32, 0.32, pen.base)
    pen.ellipse(0, -0.35, 0.26, 0.26, pen.lit(120, 84, 40))


def _book(pen: Pen) -> None:
    pen.polygon([(-1.0, 0.75), (0.45, 0.95), (0.45, 0.7), (-1.0, 0.5)], pen.lit(244, 240, 226))
    pen.polygon([(0.45, 0.95), (1.05, 0.25), (1.05, 0.0), (0.45, 0.7)], pen.lit(222, 216, 200))
    pen.polygon([(-1.0, 0.5), (0.45, 0.72), (1.05, 0.0), (-0.4, -0.2)], pen.base)
    pen.polygon([(-0.45, 0.28), (0.2, 0.38), (0.42, 0.12), (-0.22, 0.02)], pen.tone(0.4))
    pen.line([(-1.0, 0.78), (0.45, 0.98), (1.05, 0.28)], 0.08, pen.tone(-0.3))


def _car(pen: Pen) -> None:
    pen.polygon([(-0.62, 0.2), (-0.4, -0.4), (0.35, -0.4), (0.68, 0.2)], pen.tone(-0.2))
    pen.polygon([(-0.45, 0.15), (-0.3, -0.26), (-0.04, -0.26), (-0.04, 0.15)], pen.lit(196, 226, 246))
    pen.polygon([(0.06, 0.15), (0.06, -0.26), (0.28, -0.26), (0.5, 0.15)], pen.lit(196, 226, 246))
    pen.polygon([(-1.15, 0.2), (1.0, 0.2), (1.2, 0.4), (1.2, 0.75), (-1.15, 0.75)], pen.base)
    for x in (-0.62, 0.65):
        pen.ellipse(x, 0.76, 0.3, 0.3, pen.lit(28, 28, 32))
        pen.ellipse(x, 0.76, 0.13, 0.13, pen.lit(170, 170, 176))


SHAPES: dict[str, Callable[[Pen], None]] = {
    "apple": _apple,
    "lemon": _lemon,
    "cat": _cat,
    "bird": _bird,
    "cup": _cup,
    "ball": _ball,
    "tree": _tree,
    "house": _house,
    "fish": _fish,
    "flower": _flower,
    "book": _book,
    "car": _car,
}
