"""Measure every scenario, draw its paths, write `docs/scenarios.md`: `python -m agents scenarios`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig
from tqdm import tqdm

from agents.evaluation.standings import measure, sample_paths
from envs import SCENARIO_IDS, SplitSettings, checks
from envs.checks import Count, Natural
from envs.command_line import command, plain
from envs.files import picture_link, whole_file, write_text


@dataclass(frozen=True)
class ScenariosSettings:
    """`configs/scenarios.yaml`.

    Attributes:
        ids: environment ids of `envs.SCENARIO_IDS`; None: all.
        profile: path of a quality profile; None: the shipped one.
        num_requests, search_requests, num_envs, seed: see `measure`.
        sessions: in the pictures.
        document, pictures: the page, and the folder of its pictures, below the page's.
    """

    ids: list[str] | None
    profile: str | None
    num_requests: Count
    search_requests: Count
    num_envs: Count
    sessions: Count
    seed: Natural
    document: str
    pictures: str


@command("scenarios")
def main(config: DictConfig) -> None:
    """Write the page and its pictures."""
    settings = checks.parse(ScenariosSettings, plain(config))
    for name in settings.ids or ():
        checks.choice("id", name, SCENARIO_IDS)
    link = picture_link(Path(settings.document), Path(settings.pictures))
    from agents.reports.scenario_page import draw_paths, page  # heavy: after help and mistakes
    from agents.reports.style import house_style

    found: dict[str, Any] = {}
    for name in tqdm(settings.ids or list(SCENARIO_IDS), unit="scenario"):
        own = SplitSettings.from_keywords(SCENARIO_IDS[name] | {"profile": settings.profile})
        paths = sample_paths(own, settings.sessions, settings.seed)
        picture = f"{own.scenario.NAME}.png"
        with house_style(), whole_file(Path(settings.pictures) / picture) as partial:
            draw_paths(paths, own.scenario.NAME).savefig(partial, dpi=120)
        measured = measure(own, settings.num_envs, settings.num_requests, settings.search_requests, settings.seed)
        found[name] = own.scenario, measured, f"{link}/{picture}"
    write_text(settings.document, page(found, settings.num_requests, settings.sessions))
    print(f"wrote {settings.document}: {len(found)} scenarios")
