"""Measure bits an element of the latent codecs over the steps that are done: `python -m envs measure_latent_codecs`.

The latents are those that the edge hands over, of captioned scenes. `output=envs/costs/latent_codecs.csv` is the table
that prices read. Half a minute.
"""

from __future__ import annotations

from pathlib import Path

from omegaconf import DictConfig

from envs import checks
from envs.command_line import command, plain
from envs.costs.latent_codecs import FIELDS
from envs.files import write_rows
from envs.plans.codecs import LATENT_CODECS
from envs.transceiver.model.options import ModelOptions


@command("measure_latent_codecs")
def main(config: DictConfig) -> None:
    """Measure every codec behind every step, and write the table."""
    output, count = Path(checks.text("output", config.output)), checks.integer("num_requests", config.num_requests, 1)
    steps = checks.integer("num_inference_steps", config.num_inference_steps, 1)
    group = plain(config.transceiver)
    options = ModelOptions.from_group(group)
    import numpy as np  # heavy: after mistakes

    from envs.transceiver.codecs.latents import latent_codec
    from envs.transceiver.model.components import load_components
    from envs.transceiver.scenes.scenes import ALL_SCENES
    from envs.transceiver.transceiver import Transceiver

    components = load_components(group["path"], group["device"], options)
    transceiver = Transceiver(components, steps, group["guidance_scale"])
    rng = np.random.default_rng(checks.integer("seed", config.seed, 0))
    prompts = [ALL_SCENES[i].caption for i in rng.integers(len(ALL_SCENES), size=count)]
    states = transceiver.trajectory(prompts, rng.integers(2**31, size=count).tolist())
    rows = []
    for name in LATENT_CODECS:
        codec = latent_codec(name)
        bits = [codec.bits_per_element(state) for state in states[1:]]
        rows += [
            dict(zip(FIELDS, (name, f"{split / steps:.6g}", f"{each:.4f}"), strict=True))
            for split, each in enumerate(bits, start=1)
        ]
        print(f"{name}: {min(bits):.2f} to {max(bits):.2f} bits an element")
    write_rows(output, rows)
    print(f"{output}: {len(rows)} rows over {count} latents a step")
