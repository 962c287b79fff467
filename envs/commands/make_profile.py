"""Measure a quality profile: `python -m envs.commands.make_profile` (Hydra, configs/make_profile.yaml)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import hydra
from omegaconf import DictConfig, OmegaConf

from envs.command_line import CONFIGS, one_line_errors
from envs.transceiver.profile.profile import SHIPPED_PROFILE


@hydra.main(config_path=str(CONFIGS), config_name="make_profile", version_base="1.3")
def main(config: DictConfig) -> None:
    """Measure what the configuration names and write one file."""
    with one_line_errors():
        from envs.transceiver.model.components import EMBEDDED, fingerprint, model_fingerprint
        from envs.transceiver.profile.parallel import (
            measure,  # heavy imports wait until help and mistakes are dealt with
        )
        from envs.transceiver.profile.settings import MeasureParams

        params = MeasureParams.of(_plain(config.measure), _plain(config.transceiver), _plain(config.channel))
        output = Path(config.output)
        other = model_fingerprint(params.model, params.options) != fingerprint(EMBEDDED)
        if other and output.resolve() == SHIPPED_PROFILE:
            raise ValueError("output names the shipped profile, which is the embedded model's: give another file")
        output.parent.mkdir(parents=True, exist_ok=True)
        profile = measure(params, Path(config.folder), config.workers, config.threads)
        profile.save(output)
        print(f"wrote {output}: {', '.join(profile.receivers)} on {profile.fingerprint}")


def _plain(config: DictConfig) -> dict[str, Any]:
    return OmegaConf.to_container(config, resolve=True, throw_on_missing=True)  # type: ignore[return-value]


if __name__ == "__main__":
    with one_line_errors():
        main()
