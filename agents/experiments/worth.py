"""Is splitting worth it, and where? Against honest opponents: exactly, paired, on test requests; and maps.

Opponents are everything at the edge sent as WebP, at the user, at the user by a light network, in the cloud, each with
every T that was measured, and both ends of the splits. Why they are hard to pass:
`agents.experiments.shared.worth.law`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, NamedTuple

from tqdm import tqdm

from agents.evaluation.planned import Planned, PlannerSizes, planned
from agents.evaluation.statistics import Interval
from agents.evaluation.worth import (
    ALL,
    CHOSEN,
    COMPARED,
    NO_CLOUD,
    SPLITS,
    Compared,
    Judge,
    Optima,
    PlanLists,
    optima,
    plan_lists,
)
from agents.experiments.shared.findings import Findings, Row
from agents.experiments.shared.study import Study
from agents.experiments.shared.worth.bars import draw_worth_bars
from agents.experiments.shared.worth.claims import Candidate, Evidence, claims_of
from agents.experiments.shared.worth.law import LawChecked, check_law
from agents.experiments.shared.worth.maps import (
    AGAINST,
    CELL_LISTS,
    Plane,
    WorthMap,
    bandwidth_and_snr,
    draw_worth_maps,
    gains_at,
    sampled_state,
    user_and_edge,
    wish_and_edge,
    worth_map,
)
from agents.experiments.shared.worth.sweeps import Sweep, draw_sweeps, sweep_charge, sweep_load
from agents.policies.model_based import sample_observations
from agents.runs.setup import scenario_configs
from envs import SplitSettings, checks, costs
from envs.checks import Count, Points
from envs.command_line import plain
from envs.scenario import resolve_scenario
from envs.transceiver import ACCEPTANCE_RULES

MORE_LISTS = ("named", "named" + NO_CLOUD, "family", "two", "papers")
"""Lists that the myopic optimum is taken over besides, and with the T of the claims alone."""


@dataclass(frozen=True)
class Options:
    """What is tried, and sizes.

    Attributes:
        scenarios, links, acceptance, costs: every combination is a row; the first link and costs are those of figures,
            bounds, sweeps and maps.
        codec, latent_codec: of images and of latents.
        few, many: two T that a claim compares.
        num_states: independent states in which the optima are exact.
        planner: sizes where decisions reach later requests.
        interval_s: mean seconds between requests of a queue, from heavy load to light.
        charge_j: mean joules of a battery at the start of a session, drawn between half and one and a half of it.
        user_step_s, edge_availability: points of a map.
        bandwidth_hz, snr_db: points of another.
        latency_low_s: points of a third, beside those of the edge.
        cell_states: states at each point.
    """

    scenarios: list[str]
    links: list[str]
    acceptance: list[str]
    costs: list[str]
    codec: str
    latent_codec: str
    few: Count
    many: Count
    num_states: Count
    planner: PlannerSizes
    interval_s: Points
    charge_j: Points
    user_step_s: Points
    edge_availability: Points
    bandwidth_hz: Points
    snr_db: Points
    latency_low_s: Points
    cell_states: Count

    def __post_init__(self) -> None:
        for name, allowed in (("links", costs.LINKS), ("acceptance", ACCEPTANCE_RULES), ("costs", ("paper", "flops"))):
            if not getattr(self, name):
                raise ValueError(f"experiment.{name} must name at least one, got none")
            for each in getattr(self, name):
                checks.choice(f"experiment.{name}", each, allowed)
        for name in ("interval_s", "charge_j", "user_step_s", "edge_availability", "bandwidth_hz", "latency_low_s"):
            checks.number(f"experiment.{name}", getattr(self, name)[0], above=0.0)
        checks.number("experiment.edge_availability", self.edge_availability[-1], most=1.0)


class Setting(NamedTuple):
    """One row of the comparison."""

    scenario: str
    link: str
    acceptance: str
    costs: str

    @property
    def words(self) -> str:
        """For a sentence."""
        return f"{self.scenario}, link {self.link}, {self.acceptance}, costs {self.costs}"


@dataclass(frozen=True)
class Trial:
    """What every comparison of a run has in common.

    Attributes:
        study, options: of the run.
        lists: of plans.
        settings: of the environment in each setting.
    """

    study: Study
    options: Options
    lists: PlanLists
    settings: Mapping[Setting, SplitSettings]

    @classmethod
    def of(cls, study: Study, options: Options) -> Trial:
        """The lists of a profile's plans, and all settings."""
        scenarios = {name: resolve_scenario(plain(each)) for name, each in scenario_configs(options.scenarios).items()}
        keys = map(Setting._make, product(options.scenarios, options.links, options.acceptance, options.costs))
        settings = {
            key: replace(
                study.settings,
                scenario=scenarios[key.scenario],
                link=key.link,
                acceptance=key.acceptance,
                costs=costs.cost_source(key.costs),
            )
            for key in keys
        }
        return cls(study, options, plan_lists(study.settings, options.codec, options.latent_codec), settings)

    def is_default(self, setting: Setting) -> bool:
        """Whether it has the first link and costs."""
        return (setting.link, setting.costs) == (self.options.links[0], self.options.costs[0])

    def default(self, rule: str, link: str | None = None) -> SplitSettings:
        """Scenario `paper` with the first link and costs."""
        options = self.options
        source = costs.cost_source(options.costs[0])
        return replace(self.study.settings, acceptance=rule, link=link or options.links[0], costs=source)

    def compared(self, setting: Setting, seed: int) -> Compared:
        """The optima of one setting, by planners where decisions reach later requests."""
        base, options = self.settings[setting], self.options
        if base.scenario.IS_SEQUENTIAL:
            bounds = CELL_LISTS if self.is_default(setting) and seed == self.study.seed else ()
            return planned(base, self.lists, options.planner, seed, bounds=bounds)
        ts = (options.few, options.many)
        names = [*COMPARED, *MORE_LISTS, *(f"{name}@{total}" for name in MORE_LISTS for total in ts)]
        names += [f"{name}{NO_CLOUD}@{options.many}" for name in (CHOSEN, ALL)]
        return optima(base, self.lists, options.num_states, seed, names)


def run(study: Study, options: Options) -> Findings:
    """Compare in every setting, sweep load and charge, draw the maps, and look for the best place of all."""
    trial = Trial.of(study, options)
    planes = _planes(trial)
    sweeps = len(options.acceptance) * (len(options.interval_s) + len(options.charge_j))
    total = len(trial.settings) + sweeps + sum(len(plane.x) * len(plane.y) for plane in planes)
    found: dict[Setting, Compared] = {}
    with tqdm(total=total, desc="settings", unit="setting") as bar:
        for setting in trial.settings:
            found[setting] = trial.compared(setting, study.seed)
            bar.update()
        load = {rule: _sweeps(trial, rule, bar.update) for rule in options.acceptance}
        maps = [worth_map(plane, trial.lists, options.cell_states, study.seed, bar.update) for plane in planes]
    law = {link: _law(trial, link) for link in options.links}
    default = {each: own for each, own in found.items() if trial.is_default(each)}
    evidence = Evidence(
        {each.acceptance: own for each, own in default.items() if each.scenario == "paper" and isinstance(own, Optima)},
        {each.words: own for each, own in default.items() if isinstance(own, Planned)},
        load,
        maps,
        law,
        [*_of_settings(trial, found), *_of_sweeps(trial, load), *_of_maps(trial, maps)],
        options.few,
        options.many,
    )
    claims = claims_of(evidence)
    _explain(trial, found)
    return Findings(
        "Is splitting worth it, and where?",
        {"": draw_worth_bars(_by_rule(default)), "map": draw_worth_maps(maps), "load": draw_sweeps(load)},
        {
            "": [_row(each, own) for each, own in found.items()],
            "lists": [row for each, own in found.items() for row in _list_rows(each, own)],
            "load": [
                {"acceptance": rule} | dict(row) for rule, own in load.items() for each in own for row in each.rows
            ],
            "map": [{"map": " x ".join(each.plane.labels)} | dict(row) for each in maps for row in each.rows],
            "law": [{"link": link} | dict(each.row) for link, each in law.items()],
        },
        claims,
        study.notes,
    )


def _planes(trial: Trial) -> list[Plane]:
    options, base = trial.options, trial.default(trial.options.acceptance[0])
    return [
        user_and_edge(base, options.user_step_s, options.edge_availability),
        bandwidth_and_snr(base, options.bandwidth_hz, options.snr_db),
        wish_and_edge(base, options.latency_low_s, options.edge_availability),
    ]


def _sweeps(trial: Trial, rule: str, step: Callable[[], Any]) -> list[Sweep]:
    options, base = trial.options, trial.default(rule)
    common = trial.lists, options.planner
    return [
        sweep_load(base, *common, options.interval_s, trial.study.seed, step),
        sweep_charge(base, *common, options.charge_j, trial.study.seed, step),
    ]


def _law(trial: Trial, link: str) -> LawChecked:
    judge = Judge.of(trial.default(trial.options.acceptance[0], link), trial.lists)
    return check_law(judge, sample_observations(judge.model, trial.options.num_states, trial.study.seed))


def _by_rule(found: Mapping[Setting, Compared]) -> dict[str, dict[str, Compared]]:
    by_rule: dict[str, dict[str, Compared]] = {}
    for setting, own in found.items():
        by_rule.setdefault(setting.acceptance, {})[setting.scenario] = own
    return by_rule


def _adds(found: Compared) -> dict[str, Interval]:
    return {suffix: found.adds(cloud=not suffix) for suffix in AGAINST}


def _of_settings(trial: Trial, found: Mapping[Setting, Compared]) -> Iterator[Candidate]:
    for setting, own in found.items():

        def again(setting: Setting = setting) -> dict[str, Interval]:
            return _adds(trial.compared(setting, _other(trial)))

        yield Candidate(setting.words, _adds(own), again)


def _of_sweeps(trial: Trial, load: Mapping[str, Sequence[Sweep]]) -> Iterator[Candidate]:
    for rule, sweep in ((rule, sweep) for rule, own in load.items() for sweep in own):
        for point, settings, own in zip(sweep.points, sweep.settings, sweep.found, strict=True):

            def again(at: SplitSettings = settings) -> dict[str, Interval]:
                return _adds(planned(at, trial.lists, trial.options.planner, _other(trial), CELL_LISTS))

            yield Candidate(f"{point:g} {sweep.label}, {rule}", _adds(own), again)


def _of_maps(trial: Trial, maps: Sequence[WorthMap]) -> Iterator[Candidate]:
    for each in maps:
        plane = each.plane
        for index, (y, x) in enumerate(product(plane.y, plane.x)):

            def again(plane: Plane = plane, x: float = x, y: float = y) -> dict[str, Interval]:
                judge = Judge.of(plane.settings, trial.lists)
                state = sampled_state(judge.model, trial.options.num_states, _other(trial))
                return dict(zip(AGAINST, gains_at(judge, plane.place(state, x, y)).intervals(), strict=True))

            words = f"{plane.labels[0]} {x:.3g}, {plane.labels[1]} {y:.3g}"
            yield Candidate(words, {suffix: own[index] for suffix, own in each.gains.items()}, again)


def _other(trial: Trial) -> int:
    """The seed of states and sessions in which the best place is judged again."""
    return trial.study.seed + 1


def _explain(trial: Trial, found: Mapping[Setting, Compared]) -> None:
    """What a reader must know."""
    note = trial.study.note
    for line in trial.lists.notes:
        note(line)
    note(
        f"{len(trial.lists.names)} plans with T = {', '.join(map(str, trial.lists.steps))}; an image is similar where "
        "it resembles the noise-free image of as many steps, so that fewer steps cost nothing under similarity: "
        "alignment is the rule that sees them"
    )
    if own := next((each for each in found.values() if isinstance(each, Optima)), None):
        quality = own.model.quality
        note(f"judged on {quality.num_requests} requests and {quality.num_draws} channel draws")
    note(
        "both ends of the splits stand with the opponents: everything at the user by the fine-tuned network, and "
        "everything at the edge with the latent sent"
    )


def _row(setting: Setting, found: Compared) -> Row:
    each = {suffix: (CHOSEN + suffix, ALL + suffix) for suffix in AGAINST}
    row: dict[str, Any] = setting._asdict() | {"by": "planner" if isinstance(found, Planned) else "optimum"}
    row |= {SPLITS: found.mean(SPLITS)}
    for suffix, (opponents, everything) in each.items():
        row |= {opponents: found.mean(opponents), everything: found.mean(everything)}
        row |= {f"adds{suffix}": found.gain(everything, opponents)}
        row |= {f"adds_of_bounds{suffix}": found.bound_gain(everything, opponents)}
    return row


def _list_rows(setting: Setting, found: Compared) -> list[Row]:
    names = found.served if isinstance(found, Planned) else found.earned if isinstance(found, Optima) else ()
    plans = found.lists.members if isinstance(found, Planned | Optima) else {}
    return [
        setting._asdict() | {"list": name, "plans": len(plans[name]), "satisfaction": found.mean(name)}
        for name in names
    ]
