"""Measure a quality profile by running the transceiver: `python -m envs make_profile`.

It shows how long it still takes; a run that was stopped goes on from the finished cells in `folder`. Many machines may
share the folder, each with a part of the cells:

    python -m envs make_profile shard=0/8                            and so on to 7/8, in as many shells, in any order
    python -m envs make_profile -m shard=0/8,1/8 launcher=submitit_slurm        as jobs; the preempted ones come back
    python -m envs make_profile shard=gather                         the file, or which cells are still missing
    python -m envs make_profile budget_hours=2                       the first requests of all tables, as many as fit
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from omegaconf import DictConfig

from envs import checks
from envs.command_line import command, plain
from envs.files import WHOLE, Shard
from envs.transceiver import SHIPPED_PROFILE, QualityProfile
from envs.transceiver.model.folders import check_judge, check_networks, model_fingerprint
from envs.transceiver.profile.profile import PROMPT, TRAIN

GATHER = "gather"


@command("make_profile")
def main(config: DictConfig) -> None:
    """Measure what the configuration names and write one file."""
    from envs.transceiver.profile.settings import MeasureParams  # heavy: after help
    from envs.transceiver.receivers import receiver_named

    params = MeasureParams.from_config(plain(config.measure), plain(config.transceiver), plain(config.channel))
    check_networks(params.model, params.options, [receiver_named(name).network for name in params.receivers])
    check_judge(params.model, params.options)
    output, hours = Path(config.output), config.budget_hours
    budget_s = None if hours is None else 3600.0 * checks.number("budget_hours", hours, above=0.0)
    other = model_fingerprint(params.model, params.options) != model_fingerprint(None)
    if other and output.resolve() == SHIPPED_PROFILE:
        raise ValueError("output names the shipped profile, which is the embedded model's: give another file")
    from envs.transceiver.profile.files import gather_profile  # heavy: after mistakes
    from envs.transceiver.profile.shards import measure_cells

    folder, part = Path(config.folder), config.shard
    shard = WHOLE if part in (None, GATHER) else Shard.from_text(str(part))
    if part != GATHER:
        measure_cells(params, folder, config.workers, config.threads, shard=shard, budget_s=budget_s)
    if shard != WHOLE:
        print(f"{folder}: the cells of shard {part} are there; when all are, make the file with shard={GATHER}")
        return
    profile = gather_profile(params, folder, whole=budget_s is None)
    output.parent.mkdir(parents=True, exist_ok=True)
    profile.save(output)
    print("\n".join(report(profile)))
    print(f"wrote {output}: {output.stat().st_size / 2**20:.2f} MiB, {', '.join(profile.fingerprint.values())}")


def report(profile: QualityProfile) -> list[str]:
    """What is in a profile, and how sure decisions are that are fitted on it, by lines."""
    from envs.fidelity import fitting_loss  # heavy: after mistakes
    from envs.model import SplitModel
    from envs.settings import SplitSettings

    lines = []
    for part in profile.parts.values():
        lines.append(f"{len(part.requests)} {part.name} requests")
        for key, table in part.tables.items():
            known = np.isfinite(table.measured[0, :, [split > 0 for split in table.splits]])
            links = f"{table.draws} draws, {known.mean():.0%} of its links measured" if known.size else "no noisy link"
            lines.append(f"  {key}: {len(table.rows)} requests, {links}")
    tables = profile.part(TRAIN).tables.items() if (PROMPT, TRAIN) in profile.parts else ()
    if noisy := [each for each in tables if each[1].draws and len(each[1].splits) > 1]:
        key, table = next((each for each in noisy if each[0].receiver == "finetuned"), noisy[0])
        settings = SplitSettings(
            profile=profile,
            receiver=key.receiver,
            num_inference_steps=key.num_inference_steps,
            max_attempts=min(3, table.draws),
        )
        if len(table.rows) > 1:
            loss = fitting_loss(SplitModel(settings))
            lines.append(
                f"plans fitted on these train requests lose at most {loss.mean:.4f} ± {loss.half:.4f} of satisfaction "
                f"on others: cross-validated, {key}, scenario paper"
            )
    return lines
