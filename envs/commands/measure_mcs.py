"""Measure the waterfall of every code that the modulation-and-coding table lacks: `python -m envs measure_mcs`.

Some minutes from an empty file; a stopped run goes on. Needs the extra `phy`. `output=envs/channels/mcs.csv` is the
table that prices read; every code has a generator of its own, so that the order does not matter.
"""

from __future__ import annotations

from pathlib import Path

from omegaconf import DictConfig
from tqdm import tqdm

from envs import checks
from envs.channels.mcs import MODULATIONS, Scheme, measured_schemes
from envs.command_line import command
from envs.files import write_rows


@command("measure_mcs")
def main(config: DictConfig) -> None:
    """Measure what the table in the file lacks, and write it after each code."""
    output = Path(checks.text("output", config.output))
    known = {scheme.modulation: scheme for scheme in measured_schemes(output)} if output.exists() else {}
    import torch  # heavy: after help and mistakes

    from envs.channels.block_code import block_code
    from envs.channels.waterfall import measure_waterfall

    for index, modulation in enumerate(tqdm(MODULATIONS, unit="code")):
        if modulation in known:
            continue
        known[modulation] = Scheme(modulation, *measure_waterfall(modulation, torch.Generator().manual_seed(index)))
        block_code.cache_clear()
        write_rows(output, [known[each].row for each in MODULATIONS if each in known])
    print(f"{output}: {len(known)} codes")
