"""A frame of the environment: the delivered image, the decision and the link of the last step."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from envs import checks
from envs.core import LastStep, SplitCore
from envs.fidelity import check_measured_with
from envs.model import SplitModel
from envs.rewards import satisfaction
from envs.units import db_to_linear

WIDTH, HEIGHT = 640, 360
SCALE = 2
"""Frames are drawn larger by this factor and then reduced, for smooth edges."""

INK, MUTED, PAPER, TRACK = "#1c2330", "#687385", "#fbfbfd", "#e3e7ee"
EDGE, LINK, USER, GOOD, BAD = "#2f6fde", "#8d99ab", "#e8833a", "#2e9e63", "#d0433b"
CLOUD = "#7a5cc4"
NODE_COLOURS = {"edge": EDGE, "user": USER, "cloud": CLOUD}
PART_COLOURS = {**NODE_COLOURS, "link": LINK, "waiting": MUTED}


@dataclass(frozen=True)
class Panel:
    """What a frame shows.

    Attributes:
        prompt: what the user asked for.
        num_inference_steps: T.
        state: `snr_db`, `bandwidth_hz`, `edge_availability`, `user_availability`, `latency_low_s`, `latency_high_s`.
        image: float [3, H, W] in [0, 1]; None before a decision, as is what follows, and of an impossible plan.
        plan: name of the chosen plan.
        steps_at: node of each denoising step.
        payload: what was sent: `latent`, `image` or None.
        latency_parts_s: by the names of `PART_COLOURS`.
        attempts: attempts made; 0 where the plan was impossible: nothing ran and nothing was sent.
        failed: whether the request failed.
        quality: metric -> value of the last attempt; empty where none was made.
        satisfaction: of the user, in [0, 1].
    """

    prompt: str
    num_inference_steps: int
    state: dict[str, float]
    image: NDArray[np.float32] | None = None
    plan: str = ""
    steps_at: tuple[str, ...] = ()
    payload: str | None = None
    latency_parts_s: dict[str, float] = field(default_factory=dict)
    attempts: int = 0
    failed: bool = False
    quality: dict[str, float] = field(default_factory=dict)
    satisfaction: float = 0.0


def draw_frame(panel: Panel) -> NDArray[np.uint8]:
    """Draw a frame.

    Returns:
        uint8 [360, 640, 3], RGB.
    """
    canvas = Image.new("RGB", (WIDTH * SCALE, HEIGHT * SCALE), PAPER)
    pen = _Pen(ImageDraw.Draw(canvas))
    _draw_image(canvas, pen, panel)
    pen.text(336, 20, panel.plan or "waiting for a decision", 20, INK)
    _draw_split(pen, panel)
    _draw_link(pen, panel)
    _draw_latency(pen, panel)
    _draw_verdict(pen, panel)
    return np.asarray(canvas.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS), dtype=np.uint8).copy()


class _Pen:
    """Draws in units of the final frame."""

    def __init__(self, draw: ImageDraw.ImageDraw) -> None:
        self._draw = draw

    def text(self, x: float, y: float, text: str, size: int, colour: str, anchor: str = "la") -> None:
        font = ImageFont.load_default(size * SCALE)
        self._draw.text((x * SCALE, y * SCALE), text, fill=colour, font=font, anchor=anchor)

    def box(self, x: float, y: float, width: float, height: float, colour: str, radius: float = 2.0) -> None:
        corners = (x * SCALE, y * SCALE, (x + width) * SCALE - 1, (y + height) * SCALE - 1)
        if width * SCALE >= 1:
            self._draw.rounded_rectangle(corners, radius * SCALE, fill=colour)

    def line(self, points: list[tuple[float, float]], colour: str, width: float = 1.5) -> None:
        self._draw.line([(x * SCALE, y * SCALE) for x, y in points], fill=colour, width=round(width * SCALE))


def _draw_image(canvas: Image.Image, pen: _Pen, panel: Panel) -> None:
    side = 284
    if panel.image is None:
        pen.box(24, 20, side, side, TRACK, 6)
        pen.text(24 + side / 2, 20 + side / 2, "no image" if panel.plan else "no image yet", 14, MUTED, "mm")
    else:
        pixels = np.clip(np.moveaxis(panel.image, 0, -1) * 255.0 + 0.5, 0, 255).astype(np.uint8)
        picture = Image.fromarray(pixels).resize((side * SCALE, side * SCALE), Image.Resampling.BICUBIC)
        canvas.paste(picture, (24 * SCALE, 20 * SCALE))
    prompt = panel.prompt if len(panel.prompt) <= 36 else panel.prompt[:35] + "…"
    pen.text(24 + side / 2, 326, f"“{prompt}”", 14, INK, "mm")


def _draw_split(pen: _Pen, panel: Panel) -> None:
    """Draw the T denoising steps in a row, coloured by where they run."""
    pen.text(336, 54, "denoising steps", 11, MUTED)
    if panel.plan:
        count = Counter(panel.steps_at)
        ends = f"{count['edge']} at the edge, {count['user']} at the user"
        pen.text(616, 54, f"{count['cloud']} in the cloud" if count["cloud"] else ends, 11, MUTED, "ra")
    width = 280 / panel.num_inference_steps
    for step in range(panel.num_inference_steps):
        colour = NODE_COLOURS[panel.steps_at[step]] if panel.attempts else TRACK
        pen.box(336 + step * width, 72, max(1.0, width - 2), 18, colour)


def _draw_link(pen: _Pen, panel: Panel) -> None:
    """Edge and user with their availability, and a wave that is the rougher the lower the SNR."""
    state, y = panel.state, 138.0
    for x, name, key, colour in ((336, "edge", "edge_availability", EDGE), (546, "user", "user_availability", USER)):
        pen.box(x, y - 22, 70, 44, TRACK, 6)
        pen.box(x, y + 17, 70 * state[key], 5, colour)
        pen.text(x + 35, y - 11, name, 13, INK, "mm")
        pen.text(x + 35, y + 5, f"{100 * state[key]:.0f} % free", 11, MUTED, "mm")
    along = np.linspace(412, 540, 160)
    noise = np.random.default_rng(0).normal(size=len(along)) * 3.0 / np.sqrt(db_to_linear(state["snr_db"]))
    across = y + np.clip(6.0 * np.sin((along - 412) / 5.0) + noise, -16, 16)
    carries = not panel.plan or (panel.attempts > 0 and panel.payload is not None)
    wave = list(zip(along.tolist(), across.tolist(), strict=True)) if carries else [(412.0, y), (540.0, y)]
    pen.line(wave, LINK if carries else TRACK)
    link = f"{state['snr_db']:.1f} dB, {state['bandwidth_hz'] / 1e6:.2f} MHz"
    pen.text(476, y - 34, link, 11, MUTED, "mm")
    carried = f"sends {_article(panel.payload)}" if panel.payload and panel.attempts else "nothing is sent"
    pen.text(476, y + 30, carried if panel.plan else "", 11, MUTED, "mm")


def _draw_latency(pen: _Pen, panel: Panel) -> None:
    """Latency by part on an axis that shows the user's two limits."""
    low_s, high_s = panel.state["latency_low_s"], panel.state["latency_high_s"]
    total_s = sum(panel.latency_parts_s.values())
    per_second = 280 / (1.1 * max(total_s, high_s))
    pen.text(336, 196, "latency", 11, MUTED)
    if panel.plan:
        tries = "1 attempt" if panel.attempts == 1 else f"{panel.attempts} attempts"
        pen.text(616, 196, f"{total_s:.1f} s in {tries}", 11, MUTED, "ra")
    pen.box(336, 214, 280, 18, TRACK)
    start = 336.0
    for name, seconds in panel.latency_parts_s.items():
        pen.box(start, 214, seconds * per_second, 18, PART_COLOURS[name], 0)
        start += seconds * per_second
    for limit_s, colour, text, anchor in ((low_s, GOOD, "content", "rm"), (high_s, BAD, "lost", "lm")):
        x = 336 + limit_s * per_second
        pen.line([(x, 210), (x, 236)], colour, 2)
        pen.text(x + (4 if anchor == "rm" else -4), 246, f"{text} {limit_s:.1f} s", 10, colour, anchor)


def _draw_verdict(pen: _Pen, panel: Panel) -> None:
    if not panel.plan:
        return
    metrics = [("alignment", "alignment {:.2f}"), ("psnr_db", "PSNR {:.1f} dB"), ("ssim", "SSIM {:.2f}")]
    shown = [text.format(panel.quality[name]) for name, text in metrics if name in panel.quality]
    pen.text(336, 268, "   ".join(shown), 12, INK)
    pen.box(336, 294, 280, 12, TRACK, 6)
    pen.box(336, 294, 280 * panel.satisfaction, 12, GOOD, 6 if panel.satisfaction > 0.05 else 0)
    failure = "request failed" if panel.attempts else "request failed: the plan is impossible now"
    verdict, colour = (failure, BAD) if panel.failed else (f"satisfaction {panel.satisfaction:.2f}", INK)
    pen.text(336, 314, verdict, 14, colour)


def _article(noun: str | None) -> str:
    return f"{'an' if noun and noun[0] in 'aeiou' else 'a'} {noun}"


RENDER_MODES = ("rgb_array", None)


class Painter:
    """Draws the last step of every environment of a core.

    Args:
        model: the decision process. Its transceiver generates images that were not kept; where there is none, the
            embedded model is loaded at first use.
    """

    def __init__(self, model: SplitModel) -> None:
        self._model = model
        self._transceiver = model.settings.transceiver

    @classmethod
    def for_mode(cls, render_mode: str | None, model: SplitModel) -> Painter | None:
        """Make a painter if the render mode wants one.

        Raises:
            ValueError: an unknown render mode.
        """
        checks.choice("render_mode", render_mode, RENDER_MODES)
        return None if render_mode is None else cls(model)

    def paint(self, core: SplitCore) -> tuple[NDArray[np.uint8], ...]:
        """Draw a frame uint8 [360, 640, 3] of each environment: its last step, or its first request.

        Raises:
            ResetNeeded: before the first reset.
        """
        state = core.state if core.last is None else core.last.state
        links = [{name: float(values[row]) for name, values in state.info.items()} for row in range(core.num_envs)]
        return tuple(draw_frame(self._panel(core, link, row)) for row, link in enumerate(links))

    def _panel(self, core: SplitCore, link: dict[str, float], row: int) -> Panel:
        last = core.last
        request = self._model.requests[int(link["request"])]
        if last is None:
            return Panel(request.prompt, self._model.num_inference_steps, link)
        plan = self._model.plans[last.action[row]]
        info = last.info
        happy = satisfaction(info["latency_s"][row], link["latency_low_s"], link["latency_high_s"])
        return Panel(
            request.prompt,
            plan.num_inference_steps,
            link,
            image=self._image(last, row),
            plan=plan.name,
            steps_at=tuple(stage.node for stage in plan.denoising for _ in range(stage.steps)),
            payload=plan.payload,
            latency_parts_s={name: float(part[row]) for name, part in info["latency_parts_s"].items()},
            attempts=int(info["attempts"][row]),
            failed=bool(info["failed"][row]),
            quality={name: float(value[row]) for name, value in info["quality"].items() if info["attempts"][row]},
            satisfaction=float(happy * ~info["failed"][row]),
        )

    def _image(self, last: LastStep, row: int) -> NDArray[np.float32] | None:
        if last.served.attempts[row] == 0:
            return None
        if last.served.images is not None:
            return np.asarray(last.served.images[row], dtype=np.float32)
        if self._transceiver is None:
            from envs.transceiver import load_transceiver  # torch and diffusers, only where images are generated

            channel = "awgn" if self._model.channel is None else self._model.channel
            check_measured_with(self._model)
            self._transceiver = load_transceiver(num_inference_steps=self._model.num_inference_steps, channel=channel)
        state, plan = last.state, self._model.plans[last.action[row]]
        request = self._model.requests[state.request[row]]
        draw = int(state.draws[last.served.attempts[row] - 1, row])
        delivery = self._transceiver.with_steps(plan.num_inference_steps).execute(
            plan,
            prompts=[request.prompt],
            seeds=[request.seed],
            snr_db=[float(state.snr_db[row])] if self._model.link.is_noisy else None,
            receiver=self._model.settings.receiver,
            channel_seeds=[draw],
        )
        return np.asarray(delivery.images[0], dtype=np.float32)
