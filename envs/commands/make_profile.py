"""Measure a quality profile by running the transceiver: `python -m envs make_profile`.

It shows how long it still takes; a run that was stopped goes on from the finished parts in `folder`.
"""

from __future__ import annotations

from pathlib import Path

from omegaconf import DictConfig

from envs.command_line import command, plain
from envs.transceiver import SHIPPED_PROFILE
from envs.transceiver.model.folders import check_judge, check_networks, model_fingerprint


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
    from envs.transceiver.profile.parallel import measure_profile  # heavy: after mistakes

    output.parent.mkdir(parents=True, exist_ok=True)
    profile = measure_profile(params, Path(config.folder), config.workers, config.threads)
    profile.save(output)
    print(f"wrote {output}: {', '.join(profile.receivers)} on {profile.fingerprint}")
