"""Measure every scenario, draw its paths, write `docs/scenarios.md`: `python -m agents scenarios`."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from omegaconf import DictConfig
from tqdm import tqdm

from agents.evaluation.standings import measure_scenario, sample_paths
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
        requests: of it that policies are compared on; they are fitted on the training ones.
        num_requests, search_requests, num_envs, seed: see `measure_scenario`.
        sessions: in the pictures.
        document, pictures: the page, and the folder of its pictures, below the page's.
        results: file that keeps the numbers of the page.
    """

    ids: list[str] | None
    profile: str | None
    requests: str
    num_requests: Count
    search_requests: Count
    num_envs: Count
    sessions: Count
    seed: Natural
    document: str
    pictures: str
    results: str


@command("scenarios")
def main(config: DictConfig) -> None:
    """Write the page and its pictures."""
    settings = checks.parse(ScenariosSettings, plain(config))
    for name in settings.ids or ():
        checks.choice("id", name, SCENARIO_IDS)
    link = picture_link(Path(settings.document), Path(settings.pictures))
    from agents.reports.scenario_page import draw_paths, scenarios_page  # heavy: after help and mistakes
    from agents.reports.style import house_style

    found: dict[str, Any] = {}
    measured = {
        "num_requests": settings.num_requests,
        "part": settings.requests,
        "sessions": settings.sessions,
        "pictures": link,
        "found": found,
    }
    for name in tqdm(settings.ids or list(SCENARIO_IDS), unit="scenario"):
        own = SplitSettings.from_keywords(
            SCENARIO_IDS[name] | {"profile": settings.profile, "requests": settings.requests}
        )
        paths = sample_paths(own, settings.sessions, settings.seed)
        picture = f"{own.scenario.NAME}.png"
        with house_style(), whole_file(Path(settings.pictures) / picture) as partial:
            draw_paths(paths, own.scenario.NAME).savefig(partial, dpi=120)
        sizes = settings.num_envs, settings.num_requests, settings.search_requests
        found[name] = asdict(measure_scenario(own, *sizes, settings.seed))
    write_text(settings.results, json.dumps(measured, indent=1) + "\n")
    write_text(settings.document, scenarios_page(measured))
    print(f"wrote {settings.document}: {len(found)} scenarios")
