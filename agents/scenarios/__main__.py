"""`python -m agents.scenarios`: measure every scenario, draw its paths, write the page (configs/scenarios.yaml)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import hydra
from omegaconf import DictConfig
from tqdm import tqdm

from envs.command_line import CONFIGS, one_line_errors
from envs.files import whole_file


@hydra.main(config_path=str(CONFIGS), config_name="scenarios", version_base="1.3")
def main(config: DictConfig) -> None:
    """Write the page and its pictures."""
    with one_line_errors():
        run(config)


def run(config: DictConfig) -> None:
    """Measure the scenarios that the configuration names.

    Raises:
        ValueError: an unknown id, a size that is not allowed, pictures that the page cannot link to.
    """
    from agents.reports.style import house_style
    from agents.runs.settings import plain
    from agents.scenarios.measure import measure, sample_paths
    from agents.scenarios.page import page
    from agents.scenarios.paths import draw_paths
    from envs import SCENARIO_IDS, SplitVectorEnv

    given = plain(config)
    document, pictures = Path(given["document"]), Path(given["pictures"])
    ids = list(SCENARIO_IDS) if given["ids"] is None else given["ids"]
    for name in ids:
        if name not in SCENARIO_IDS:
            raise ValueError(f"unknown id {name!r}; allowed: {', '.join(SCENARIO_IDS)}")
    for name in ("num_envs", "num_requests", "search_requests", "sessions"):
        if isinstance(given[name], bool) or not isinstance(given[name], int) or given[name] < 1:
            raise ValueError(f"{name} must be an integer >= 1, got {given[name]!r}")
    if not pictures.resolve().is_relative_to(document.resolve().parent):
        raise ValueError(f"pictures must lie below the page's folder {document.parent}, got {pictures}")
    pictures.mkdir(parents=True, exist_ok=True)
    link = pictures.resolve().relative_to(document.resolve().parent).as_posix()
    found: dict[str, Any] = {}
    for name in tqdm(ids, unit="scenario"):
        settings = dict(SCENARIO_IDS[name]) | ({"profile": given["profile"]} if given["profile"] else {})
        params = SplitVectorEnv(1, **settings).model.scenario
        paths = sample_paths(settings, given["sessions"], given["seed"])
        with house_style(), whole_file(pictures / f"{params.NAME}.png") as partial:
            draw_paths(paths, params.NAME).savefig(partial, dpi=120)
        sizes = (given["num_envs"], given["num_requests"], given["search_requests"])
        measured = measure(settings, *sizes, given["seed"])
        found[name] = params, measured, f"{link}/{params.NAME}.png"
    with whole_file(document) as partial:
        partial.write_text(page(found, given["num_requests"], given["sessions"]), encoding="utf-8")
    print(f"wrote {document} and {len(found)} pictures")


if __name__ == "__main__":
    with one_line_errors():
        main()
