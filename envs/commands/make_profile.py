"""Measure a quality profile by running the transceiver: `python -m envs make_profile`.

It shows how long it still takes; a run that was stopped goes on from the finished cells in `folder`. Many machines may
share the folder, each with a part of the cells:

    python -m envs make_profile shard=0/8                            and so on to 7/8, in as many shells, in any order
    python -m envs make_profile -m shard=0/8,1/8 launcher=submitit_slurm        as jobs; the preempted ones come back
    python -m envs make_profile shard=gather                         the file, or which cells are still missing
"""

from __future__ import annotations

from pathlib import Path

from omegaconf import DictConfig

from envs.command_line import command, plain
from envs.transceiver import SHIPPED_PROFILE
from envs.transceiver.model.folders import check_judge, check_networks, model_fingerprint

GATHER = "gather"


@command("make_profile")
def main(config: DictConfig) -> None:
    """Measure what the configuration names and write one file."""
    from envs.transceiver.profile.settings import MeasureParams  # heavy: after help
    from envs.transceiver.receivers import receiver_named

    params = MeasureParams.from_config(plain(config.measure), plain(config.transceiver), plain(config.channel))
    check_networks(params.model, params.options, [receiver_named(name).network for name in params.receivers])
    check_judge(params.model, params.options)
    output = Path(config.output)
    other = model_fingerprint(params.model, params.options) != model_fingerprint(None)
    if other and output.resolve() == SHIPPED_PROFILE:
        raise ValueError("output names the shipped profile, which is the embedded model's: give another file")
    from envs.transceiver.profile.shards import WHOLE, Shard, gather_profile, measure_cells  # heavy: after mistakes

    folder, part = Path(config.folder), config.shard
    shard = WHOLE if part in (None, GATHER) else Shard.from_text(str(part))
    if part != GATHER:
        measure_cells(params, folder, config.workers, config.threads, shard=shard)
    if shard != WHOLE:
        print(f"{folder}: the cells of shard {part} are there; when all are, make the file with shard={GATHER}")
        return
    profile = gather_profile(params, folder)
    output.parent.mkdir(parents=True, exist_ok=True)
    profile.save(output)
    print(f"wrote {output}: {', '.join(profile.receivers)} on {profile.fingerprint}")
