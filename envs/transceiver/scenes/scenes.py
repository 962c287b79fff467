"""Captioned scenes: the data set that this project draws for itself.

A scene is a noun, a colour and a place ("a red apple on a table"), drawn with random size, position,
shade and light. It is deterministic in its seed, unlimited in number, and its caption is exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from PIL import Image, ImageDraw

from envs.transceiver.scenes.shapes import SHAPES, Pen

NOUNS = tuple(SHAPES)
COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (214, 40, 42),
    "yellow": (248, 214, 34),
    "green": (44, 160, 60),
    "blue": (44, 96, 220),
    "orange": (250, 132, 18),
    "purple": (142, 58, 180),
    "white": (244, 244, 246),
    "black": (34, 34, 38),
}


@dataclass(frozen=True)
class Place:
    """Colours of a background: sky (top, horizon), ground (horizon, bottom) and how bright the light is."""

    sky: tuple[tuple[int, int, int], tuple[int, int, int]]
    ground: tuple[tuple[int, int, int], tuple[int, int, int]]
    light: float


PLACES: dict[str, Place] = {
    "on a table": Place(((198, 178, 156), (226, 208, 188)), ((150, 96, 58), (112, 66, 36)), 1.0),
    "on grass": Place(((110, 178, 226), (172, 214, 242)), ((96, 172, 76), (52, 120, 42)), 1.0),
    "on the beach": Place(((92, 172, 228), (150, 208, 244)), ((238, 216, 158), (204, 174, 110)), 1.0),
    "on snow": Place(((150, 162, 184), (196, 204, 218)), ((246, 248, 252), (212, 218, 230)), 1.0),
    "at night": Place(((12, 14, 44), (30, 32, 72)), ((70, 74, 104), (44, 48, 74)), 0.85),
}

SIZE = 64
SUPERSAMPLING = 4


@dataclass(frozen=True)
class Scene:
    """What a picture shows. `caption` is its prompt."""

    noun: str
    colour: str
    place: str

    @property
    def caption(self) -> str:
        """The exact caption, e.g. "an orange cat on snow"."""
        return caption(self.noun, self.colour, self.place)

    @property
    def labels(self) -> tuple[int, int, int]:
        """Class indices (noun, colour, place), in the order of NOUNS, COLOURS and PLACES."""
        return NOUNS.index(self.noun), list(COLOURS).index(self.colour), list(PLACES).index(self.place)

    @property
    def held_out(self) -> bool:
        """Whether this combination is kept out of training (one in ten, spread over all three axes)."""
        noun, colour, place = self.labels
        return (noun + 3 * colour + 4 * place) % 10 == 0


ALL_SCENES = tuple(Scene(*words) for words in product(NOUNS, COLOURS, PLACES))
SEEN_SCENES = tuple(scene for scene in ALL_SCENES if not scene.held_out)
HELD_OUT_SCENES = tuple(scene for scene in ALL_SCENES if scene.held_out)


def caption(noun: str, colour: str | None, place: str | None) -> str:
    """Caption of a scene; colour and place may be left unsaid.

    Returns:
        "a red apple on a table", "an apple on a table", "a red apple", ...
    """
    words = " ".join(word for word in (colour, noun, place) if word)
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def render_scene(scene: Scene, seed: int) -> np.ndarray:
    """Draw one scene.

    Args:
        scene: what to draw.
        seed: every random choice (size, position, shade, light) follows from it.

    Returns:
        uint8 array [64, 64, 3], RGB.
    """
    rng = np.random.default_rng([seed, ALL_SCENES.index(scene)])
    place = PLACES[scene.place]
    side = SIZE * SUPERSAMPLING
    horizon = int(side * rng.uniform(0.5, 0.68))
    light = place.light * rng.uniform(0.9, 1.05)
    image = Image.fromarray(_background(place, horizon, side, rng))
    radius = side * rng.uniform(0.17, 0.27)
    centre_x = side * rng.uniform(0.36, 0.64)
    foot_y = horizon + (side - horizon) * rng.uniform(0.25, 0.55)
    base = np.array(COLOURS[scene.colour]) * light + rng.uniform(-10, 10, 3)
    pen = Pen(ImageDraw.Draw(image), centre_x, foot_y - radius, radius, base, light, flip=rng.random() < 0.5)
    pen.shadow(place.ground[1])
    SHAPES[scene.noun](pen)
    return np.asarray(image.reduce(SUPERSAMPLING))


def _background(place: Place, horizon: int, side: int, rng: np.random.Generator) -> np.ndarray:
    shade = rng.uniform(0.94, 1.04)
    sky = np.linspace(place.sky[0], place.sky[1], horizon)
    ground = np.linspace(place.ground[0], place.ground[1], side - horizon)
    rows = np.clip(np.concatenate([sky, ground]) * shade, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(np.broadcast_to(rows[:, None], (side, side, 3)))


def draw_scenes(scenes: tuple[Scene, ...], count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Render `count` scenes drawn uniformly from `scenes`.

    Returns:
        (images uint8 [count, 64, 64, 3], labels int64 [count, 3]: index of noun, colour, place).
    """
    rng = np.random.default_rng(seed)
    chosen = [scenes[i] for i in rng.integers(len(scenes), size=count)]
    seeds = rng.integers(2**31, size=count)
    images = np.stack([render_scene(scene, int(s)) for scene, s in zip(chosen, seeds, strict=True)])
    return images, np.array([scene.labels for scene in chosen])
