"""How fast the transceiver is: `python benchmarks/transceiver.py` (`--help` lists the settings).

Contestants take turns in every round, and the figure is the median over rounds of the ratio within a round, so that a
busy machine harms both alike. On a CPU one thread runs and its processor time counts, not the clock on the wall; on
a GPU the clock counts, after synchronising. Nothing is written.

Bars, on one core: at least 1.3 times diffusers' own pipeline on the same weights, steps, guidance and batch, with
images equal to 1e-4 (compiled networks, where a C++ compiler is found, against the pipeline as it is loaded);
splitting costs less than 2 %; a profile from shared trajectories is at least 3 times faster than one cell at a time
from the start.
"""

from __future__ import annotations

import argparse
import copy
import os
import resource
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # before this folder, in which `agents` is a file

from benchmarks.harness import Run, in_turns, peak_bytes, seconds, settings
from envs.command_line import one_line_errors
from envs.transceiver.model.components import load_components
from envs.transceiver.model.folders import EMBEDDED, model_folder
from envs.transceiver.model.loading import quietly, read_unet, read_vae
from envs.transceiver.model.options import ModelOptions
from envs.transceiver.profile.measurement import Search, SharedRuns, transceiver_of
from envs.transceiver.profile.profile import TEST
from envs.transceiver.profile.settings import MeasureParams, ReceiverAxes
from envs.transceiver.receivers import receiver_named
from envs.transceiver.scenes.scenes import ALL_SCENES
from envs.transceiver.transceiver import Transceiver

PARTS = ("speed", "profile", "growth", "memory")
SNR_DB = 0.0
"""What the images of the speed comparison are sent at; the time does not depend on it."""


@dataclass(frozen=True)
class Setting:
    """What is generated.

    Attributes:
        transceiver: the model, on its device.
        batch: requests at once.
        split: steps at the edge.
    """

    transceiver: Transceiver
    batch: int
    split: int

    @property
    def prompts(self) -> list[str]:
        """One prompt a request, all different while the captioned scenes last."""
        return [ALL_SCENES[i * 37 % len(ALL_SCENES)].caption for i in range(self.batch)]

    @property
    def seeds(self) -> list[int]:
        """One seed a request."""
        return list(range(self.batch))

    def generate(self, split: int | None = None, snr_db: float | None = SNR_DB, receiver: str = "rematch") -> Any:
        """Images of the transceiver, [B, 3, H, W] in [0, 1]."""
        chosen = self.split if split is None else split
        return self.transceiver.generate(self.prompts, self.seeds, chosen, snr_db, receiver).images

    def unsplit(self) -> Any:
        """Images of the whole generator at one node, over a perfect link."""
        return self.generate(self.transceiver.num_inference_steps, None)


class Stock:
    """diffusers' own pipeline on the transceiver's weights, read anew and in the memory layout that it is loaded in."""

    def __init__(self, transceiver: Transceiver, channels_last: bool = False) -> None:
        from diffusers import DDIMScheduler, StableDiffusionPipeline

        self.transceiver, parts = transceiver, transceiver.components
        folder = EMBEDDED if parts.source == "embedded" else model_folder(parts.source)
        layout = torch.channels_last if channels_last else torch.contiguous_format
        with quietly():
            unet = read_unet(folder / "unet", parts.unet.dtype).to(parts.unet.device, memory_format=layout)
            vae = read_vae(folder / "vae", parts.vae.dtype).to(parts.vae.device, memory_format=layout)
            self.pipeline = StableDiffusionPipeline(
                vae=vae,
                unet=unet,
                text_encoder=copy.deepcopy(parts.text_encoder),
                tokenizer=parts.tokenizer,
                scheduler=DDIMScheduler.from_config(parts.scheduler.config),
                safety_checker=None,
                feature_extractor=None,
                requires_safety_checker=False,
            )
        self.pipeline.set_progress_bar_config(disable=True)

    def generate(self, setting: Setting) -> Any:
        """Images of the same requests, [B, 3, H, W] in [0, 1]."""
        size = self.transceiver.components.latent_shape[1] * self.pipeline.vae_scale_factor
        return self.pipeline(
            setting.prompts,
            num_inference_steps=self.transceiver.num_inference_steps,
            guidance_scale=self.transceiver.guidance_scale,
            latents=self.transceiver.initial_latents(setting.seeds),
            height=size,
            width=size,
            output_type="pt",
        ).images


def take_turns(contestants: dict[str, Run], rounds: int, device: torch.device, title: str) -> dict[str, np.ndarray]:
    """Seconds of every contestant in every round, [rounds] each, after a round that is not counted.

    The order is turned about in every other round.
    """
    for run in contestants.values():
        run()
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    for _, name in in_turns(list(contestants), rounds, title):
        taken[name].append(seconds(contestants[name], device))
    return {name: np.array(values) for name, values in taken.items()}


def report_speed(setting: Setting, rounds: int, compiled: Setting | None = None) -> None:
    """Images a second beside the stock pipeline, the largest difference without noise, and the cost of splitting.

    Args:
        setting: what is generated.
        rounds: turns of each contestant.
        compiled: the same with compiled networks.
    """
    transceiver, split = setting.transceiver, setting.split
    stock, layout = Stock(transceiver), Stock(transceiver, channels_last=True)
    ours = f"generate, split {split}, channel, rematch"
    whole, theirs, theirs_too = "generate, unsplit", "StableDiffusionPipeline", "the same in channels_last"
    contestants: dict[str, Run] = {
        ours: setting.generate,
        whole: setting.unsplit,
        theirs: lambda: stock.generate(setting),
        theirs_too: lambda: layout.generate(setting),
    }
    for name in ("finetuned", "finetuned_light"):
        if getattr(transceiver.components, receiver_named(name).network) is not None:
            other = f"generate, split {split}, channel, {name}"
            contestants[other] = partial(setting.generate, receiver=name)
            if compiled is not None:
                contestants[f"compiled: {other}"] = partial(compiled.generate, receiver=name)
    if compiled is not None:
        contestants[f"compiled: {ours}"] = compiled.generate
    fastest = ours if compiled is None else f"compiled: {ours}"
    print(f"\nSpeed: {setting.batch} requests, {rounds} rounds, guidance {transceiver.guidance_scale:g}")
    taken = take_turns(contestants, rounds, transceiver.device, "speed")
    print(f"  {'':46s} {'images/s':>9s} {'of the pipeline':>16s}")
    for name, values in taken.items():
        print(f"  {name:46s} {setting.batch / median(values):9.2f} {_ratio(taken[theirs], values):>16s}")
    for name, own in (("generate", setting), ("compiled", compiled)):
        if own is not None:
            difference = float((own.generate(snr_db=None) - stock.generate(setting)).abs().max())
            print(f"  largest difference to the pipeline without noise, {name}: {difference:.1e} (bar 1e-4)")
    print(f"  speed, bar 1.3 times the pipeline: {_ratio(taken[theirs], taken[fastest])}")
    print(f"  cost of splitting, bar 2 %: {100 * (median(taken[ours] / taken[whole]) - 1):+.1f} %")


def report_profile(setting: Setting, model: str | None, rounds: int) -> None:
    """A profile from shared trajectories beside generating its cells from the start, in batches and one by one."""
    transceiver = setting.transceiver
    receivers = [
        name for name in ("finetuned", "rematch") if name != "finetuned" or transceiver.components.finetune_unet
    ]
    params = MeasureParams(
        model=model,
        receivers=dict.fromkeys(receivers, ReceiverAxes((transceiver.num_inference_steps,), draws=1)),
        requests={TEST: max(2, setting.batch // 2)},
        snr_db=(-6.0, 6.0),
        num_inference_steps=transceiver.num_inference_steps,
        guidance_scale=transceiver.guidance_scale,
        batch_size=2 * max(2, setting.batch // 2),
    )
    measurement = SharedRuns(transceiver_of(params), params.requests_of(TEST), params.batch_size)
    prompts, seeds, levels = measurement.prompts, measurement.seeds, list(params.snr_db)
    cells = len(prompts) * len(levels)
    splits = np.linspace(0, transceiver.num_inference_steps, 6).round().astype(int).tolist()
    print(f"\nProfile: {', '.join(receivers)} at splits {splits}, {cells} cells each, {rounds} rounds")

    every_snr = Search(None, params.accepted)

    def together(receiver: str, split: int) -> Any:
        snr_db = np.repeat(levels, len(prompts)).tolist()
        times = len(levels)
        return transceiver.generate(prompts * times, seeds * times, split, snr_db, receiver)

    def alone(receiver: str, split: int) -> Any:
        return transceiver.generate(prompts[:1], seeds[:1], split, levels[0], receiver)

    prepare = take_turns(
        {"trajectory": lambda: transceiver.decode(transceiver.trajectory(prompts, seeds)[-1])},
        rounds,
        transceiver.device,
        "trajectories",
    )["trajectory"]
    every = params.num_inference_steps + 1
    print(f"  {'seconds a cell':42s} {'shared':>9s} {'in batches':>11s} {'one by one':>11s}")
    for receiver in receivers:
        cells_of = {"shared": cells, "in batches": cells, "one by one": 1}
        total = {name: np.zeros(rounds) for name in cells_of}
        for split in splits:
            contestants: dict[str, Run] = {
                "shared": partial(measurement.table, receiver, split, np.array(levels), 1, every_snr),
                "in batches": partial(together, receiver, split),
                "one by one": partial(alone, receiver, split),
            }
            taken = take_turns(contestants, rounds, transceiver.device, f"profile, {receiver}, split {split}")
            for name, values in taken.items():
                total[name] += values / cells_of[name] / len(splits)
        total["shared"] += prepare / (cells * every * len(receivers))
        print(f"  {receiver:42s} " + " ".join(f"{median(values):10.4f}" for values in total.values()))
        print(f"  {'  times faster than in batches, one by one':42s} " + " " * 10, end="")
        print(" ".join(f"{_ratio(total[name], total['shared']):>11s}" for name in ("in batches", "one by one")))
    print("  bar: at least 3 times faster than cell by cell")


def report_growth(setting: Setting, model: str | None, rounds: int) -> None:
    """Seconds of generating (split, channel, rematch) over batch, steps and image size; one thing changes at a time."""
    components, steps = setting.transceiver.components, setting.transceiver.num_inference_steps
    scale, size = setting.transceiver.guidance_scale, components.latent_shape[1]
    factor = 2 ** (len(components.vae.config.block_out_channels) - 1)
    runs: dict[str, Run] = {}
    for batch in sorted({1, max(1, setting.batch // 2), setting.batch, 2 * setting.batch}):
        runs[f"batch {batch}"] = Setting(setting.transceiver, batch, setting.split).generate
    for number in (max(2, steps // 2), steps, 2 * steps):
        sampler = Transceiver(components, number, scale)
        runs[f"{number} steps"] = Setting(sampler, setting.batch, number * setting.split // steps).generate
    for times in (1, 2):
        larger = load_components(model, setting.transceiver.device)
        larger.unet.register_to_config(sample_size=times * size)
        sampler = Transceiver(larger, steps, scale)
        side = times * size * factor
        runs[f"{side} x {side} pixels"] = Setting(sampler, setting.batch, setting.split).generate
    print(f"\nGrowth: {setting.batch} requests, {steps} steps, {size * factor} pixels, but for what is named")
    for name, values in take_turns(runs, rounds, setting.transceiver.device, "growth").items():
        print(f"  {name:42s} {median(values):9.3f} s")


def report_memory(setting: Setting) -> None:
    """Most memory that one batch needs beyond the loaded model, beside the stock pipeline."""
    device, stock = setting.transceiver.device, Stock(setting.transceiver)
    print(f"\nPeak memory beyond the loaded model, {setting.batch} requests")
    runs: dict[str, Run] = {"generate": setting.generate, "StableDiffusionPipeline": lambda: stock.generate(setting)}
    for name, run in runs.items():
        run()
        print(f"  {name:42s} {peak_bytes(run, device) / 2**20:9.0f} MiB")


def report(options: argparse.Namespace) -> None:
    """Run the parts that are asked for and print them."""
    if min(options.batch) < 1 or options.rounds < 1:
        raise ValueError(f"batch and rounds must be 1 or more, got {options.batch} and {options.rounds}")
    if not 0 <= options.split <= options.steps:
        raise ValueError(f"split must be in 0..{options.steps}, got {options.split}")
    torch.set_num_threads(1)
    start = time.perf_counter()
    transceiver = Transceiver(load_components(options.model, options.device), options.steps)
    what = f"{transceiver.components.source} on {options.device}, loaded in {time.perf_counter() - start:.1f} s"
    print(f"{what}; {options.steps} steps, split {options.split}")
    compiled = None
    if options.compile:
        networks = load_components(options.model, options.device, ModelOptions(compile=True))
        compiled = Transceiver(networks, options.steps)
    for batch in options.batch:
        setting = Setting(transceiver, batch, options.split)
        if "speed" in options.parts:
            rival = None if compiled is None else replace(setting, transceiver=compiled)
            report_speed(setting, options.rounds, rival)
        if "memory" in options.parts:
            report_memory(setting)
    if "profile" in options.parts:
        report_profile(setting, options.model, options.rounds)
    if "growth" in options.parts:
        report_growth(setting, options.model, options.rounds)
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(f"\n{time.perf_counter() - start:.0f} s in all, {used.ru_utime + used.ru_stime:.0f} s of the processor")


def _ratio(slower: np.ndarray, faster: np.ndarray) -> str:
    low, middle, high = np.quantile(slower / faster, (0.25, 0.5, 0.75))
    return f"{middle:.2f} ({low:.2f}-{high:.2f})"


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the settings and measure."""
    parser = settings(__doc__)
    parser.add_argument("--model", help="folder in diffusers' layout or hub:owner/name; the embedded model without it")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu", help="default: %(default)s")
    parser.add_argument("--batch", type=int, nargs="+", default=[1, 8], help="requests at once, default: 1 8")
    parser.add_argument("--steps", type=int, default=20, help="denoising steps, default: %(default)s")
    parser.add_argument("--split", type=int, default=12, help="steps at the edge, default: %(default)s")
    parser.add_argument("--rounds", type=int, default=7, help="turns of each contestant, default: %(default)s")
    parser.add_argument(
        "--compile",
        action=argparse.BooleanOptionalAction,
        default=any(shutil.which(name) for name in (os.environ.get("CXX", "c++"), "g++", "clang++")),
        help="compiled networks too, a minute or two more; default: where a C++ compiler is found",
    )
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="default: all")
    with one_line_errors():
        report(parser.parse_args(arguments))


if __name__ == "__main__":
    main()
