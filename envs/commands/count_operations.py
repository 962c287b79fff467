"""Count the operations of the published architectures: `python -m envs count_operations`.

Nothing is downloaded: the networks are built without weights on the meta device. The counts are printed beside those
that `costs=flops` reads; `output=envs/costs/operations.json` writes that file.
"""

from __future__ import annotations

import json
from pathlib import Path

from omegaconf import DictConfig
from tqdm import tqdm

from envs import checks
from envs.command_line import command
from envs.costs import counted_operations
from envs.files import write_text


@command("count_operations")
def main(config: DictConfig) -> None:
    """Count everything, compare, and write the file if one is named."""
    output = None if config.output is None else Path(checks.text("output", config.output))
    from envs.transceiver.model.published import COUNTERS  # heavy: after help and mistakes

    shipped = counted_operations()
    counted = {name: counter() for name, counter in tqdm(COUNTERS.items(), desc="operations", unit="network")}
    for name, own in counted.items():
        same = "as shipped" if own == shipped.get(name) else f"shipped: {shipped.get(name)}"
        print(f"{name:13s} {own.flops / 1e9:8.1f} GFLOP  {own.parameters / 1e6:6.1f} M parameters  {same}")
    if output is not None:
        write_text(output, json.dumps({name: vars(own) for name, own in counted.items()}, indent=2) + "\n")
        print(f"wrote {output}")
