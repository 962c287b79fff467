"""Where the future matters: policies of `queue` and `battery` between the myopic optimum and a bound on all.

The myopic optimum (`oracle_bound`) and the bound know the very requests that are served; all others, `oracle` and the
planner among them, know the training requests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from agents.evaluation.entries import crossed, session_means
from agents.evaluation.rollouts import evaluate
from agents.evaluation.statistics import Crossed, Interval, mean_interval, ratio_interval
from agents.experiments.shared.claims import Claim, by_construction, order_claim, report
from agents.experiments.shared.findings import Findings, Row
from agents.experiments.shared.learning import trained_root
from agents.experiments.shared.states import mean_over_states
from agents.experiments.shared.study import RootTraining, Study
from agents.planning import bound_rewards, fit_values, levels_of, record_path
from agents.policies import Planner, Predictor, fitted, load_policy
from agents.policies.rule_search import Priced, RuleSearch, best_prices
from agents.reports.style import GREY, OKABE_ITO, house_style
from agents.reports.tables import way_text
from agents.runs.learn import Lesson, new_agent
from agents.runs.settings import AgentSettings
from agents.runs.setup import scenario_configs
from envs import SplitSettings, SplitVectorEnv, checks
from envs.checks import Count
from envs.command_line import plain
from envs.scenario import resolve_scenario

GIVEN = ("plans", "total_requests", "num_envs", "agent")
BOUND, PLANNER, OPTIMUM, ORACLE, PRICED = "bound", "planner", "oracle_bound", "oracle", "priced"
LABELS = {
    OPTIMUM: "myopic optimum",
    ORACLE: "oracle of training requests",
    PRICED: "oracle with a price",
    PLANNER: "planner (fitted values)",
    BOUND: "bound on all policies",
}


@dataclass(frozen=True)
class Options:
    """Sizes.

    Attributes:
        num_sessions: that every policy serves and the bound is taken over.
        num_states: sampled at each request to fit the values.
        search_requests: served by each candidate of the price.
        seeds: agents of each discount.
        backlog_step_s, battery_step_j: of the grids.
        agent: the group of that name.
        gammas: discounts compared; the last is the one that the bar is about.
        scenarios: name -> `plans`, `total_requests`, `num_envs`, and the hyperparameters that differ there (`agent`).
    """

    num_sessions: Count
    num_states: Count
    search_requests: Count
    seeds: Count
    backlog_step_s: float
    battery_step_j: float
    agent: Mapping[str, Any]
    gammas: list[float]
    scenarios: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class SessionMeans:
    """One scenario: mean reward of each session under every policy, and the bound's.

    Attributes:
        sessions: label -> float64 [N], or [seeds, N] of agents.
        failed: label -> share of the requests.
        rewards: label -> float64 [rows] of every request, or [seeds, rows] of agents; none of the bound's.
        labels: session and request of each row.
    """

    sessions: Mapping[str, NDArray[np.float64]]
    failed: Mapping[str, float]
    rewards: Mapping[str, NDArray[np.float64]]
    labels: Crossed

    def of(self, label: str) -> NDArray[np.float64]:
        """Sessions of a policy, of agents in the mean over them, [N]."""
        values = self.sessions[label]
        return values.mean(axis=0) if values.ndim == 2 else values

    def interval(self, label: str, baseline: str | None = None, agent: int | None = None) -> Interval:
        """Mean, or paired difference, over sessions and requests; where the bound takes part, over sessions alone.

        Args:
            label, baseline: of policies.
            agent: one of the label's; None: the mean over them.
        """
        if BOUND in (label, baseline):
            return mean_over_states(self.of(label) - (self.of(baseline) if baseline else 0.0))
        own = self._rows(label) if agent is None else self.rewards[label][agent]
        return mean_interval(own - (self._rows(baseline) if baseline else 0.0), self.labels)

    def _rows(self, label: str) -> NDArray[np.float64]:
        values = self.rewards[label]
        return values.mean(axis=0) if values.ndim == 2 else values

    def way(self, label: str) -> Interval:
        """Share of the way from the myopic optimum to the bound, with its interval over sessions."""
        start, sessions = self.of(OPTIMUM), np.arange(len(self.of(OPTIMUM)))
        return ratio_interval(self.of(label) - start, self.of(BOUND) - start, sessions)


def run(study: Study, options: Options) -> Findings:
    """Bound, plan, learn and serve in every scenario; trained agents are kept in the experiment's folder."""
    places = _settings(study, options)
    study.note(
        "intervals are over sessions and requests, paired, with the trained agents as they are; those with the bound, "
        "whose expectation is over the requests, over sessions"
    )
    standings = {name: _standing(name, settings, study, options) for name, settings in places.items()}
    return Findings(
        "Where the future matters: how near policies come to a bound on all of them",
        {"": _draw(standings)},
        {"": [row for name, each in standings.items() for row in _rows(name, each)]},
        _claims(standings, options),
        study.notes,
    )


def _settings(study: Study, options: Options) -> dict[str, SplitSettings]:
    """Settings of each scenario's environment, all tried before any work.

    Raises:
        ValueError: a scenario that was changed outside the experiment, a list of discounts or scenarios that is none,
            or anything in them that is unknown or not allowed.
    """
    if study.settings.scenario != resolve_scenario("paper"):
        raise ValueError("the experiment takes its scenarios from experiment.scenarios; leave scenario as it is")
    for name in ("backlog_step_s", "battery_step_j"):
        checks.number(f"experiment.{name}", getattr(options, name), above=0.0)
    if len(set(options.gammas)) < len(options.gammas):
        raise ValueError(f"experiment.gammas must be a list of different discounts, got {options.gammas!r}")
    if not isinstance(options.scenarios, Mapping) or not options.scenarios:
        raise ValueError(f"experiment.scenarios must map names to settings, got {options.scenarios!r}")
    settings = {}
    for name, given in options.scenarios.items():
        if not isinstance(given, Mapping):
            raise ValueError(f"experiment.scenarios.{name} must map {', '.join(GIVEN)} to values, got {given!r}")
        checks.keys(f"experiment.scenarios.{name}", given, GIVEN)
        settings[name] = replace(study.settings, scenario=plain(scenario_configs([name])[name]), plans=given["plans"])
        for gamma in options.gammas:
            training = _training(name, gamma, 0, study, options)
            agent = AgentSettings.from_config(training.agent)
            new_agent(Lesson(agent, settings[name], training.total_requests, training.num_envs, training.seed))
        levels_of(SplitVectorEnv(1, settings[name]).model, options.backlog_step_s, options.battery_step_j)
    return settings


def _training(name: str, gamma: float, seed: int, study: Study, options: Options) -> RootTraining:
    given = options.scenarios[name]
    agent = dict(options.agent) | dict(given["agent"]) | {"gamma": gamma}
    return RootTraining(agent, given["total_requests"], given["num_envs"], seed, str(study.folder / "agents"))


def _standing(name: str, settings: SplitSettings, study: Study, options: Options) -> SessionMeans:
    env = SplitVectorEnv(options.num_sessions, settings)
    levels = levels_of(env.model, options.backlog_step_s, options.battery_step_j)
    with study.console.status(f"{name}: planning"):
        known = fitted(env.model)
        of_bound, of_planner = (
            fit_values(model, levels, options.num_states, study.seed + 1) for model in (env.model, known)
        )
        prices = best_prices(RuleSearch(settings, options.search_requests, study.seed + 1))
    policies: dict[str, list[Predictor]] = {
        OPTIMUM: [load_policy("oracle_bound", env)],
        ORACLE: [load_policy("oracle", env)],
        PRICED: [Priced(env, **prices)],
        PLANNER: [Planner(env, of_planner, known)],
    }
    for gamma in options.gammas:
        policies[label_of_discount(gamma)] = [
            trained_root(settings, _training(name, gamma, seed, study, options), study.console)
            for seed in range(options.seeds)
        ]
    sessions, failed, rewards = {}, {}, {}
    num_requests = options.num_sessions * env.model.settings.episode_length
    for label, several in policies.items():
        served = [evaluate(policy, env, num_requests, study.seed) for policy in several]
        means, rows = np.stack([session_means(each) for each in served]), np.stack([each["reward"] for each in served])
        sessions[label], rewards[label] = (means, rows) if label.startswith("D3QN") else (means[0], rows[0])
        failed[label] = float(np.mean([each["failed"].mean() for each in served]))
    sessions[BOUND] = bound_rewards(env.model, of_bound, record_path(env, study.seed))
    (resource, price), *_ = prices.items()
    unit = {"per_edge_s": "an edge second", "per_user_j": "a user joule"}[resource]
    study.note(f"{name}: the price is {price:g} {unit}, found on training requests")
    return SessionMeans(sessions, failed, rewards, crossed(served[0]))


def label_of_discount(gamma: float) -> str:
    """How agents of a discount are called."""
    return f"D3QN, gamma {gamma:g}"


def _claims(standings: Mapping[str, SessionMeans], options: Options) -> list[Claim]:
    far_sighted = label_of_discount(options.gammas[-1])
    claims: list[Claim] = []
    for name, each in standings.items():
        gain = each.interval(far_sighted, OPTIMUM)
        claims.append(
            order_claim(
                "project",
                f"{name}: {far_sighted} beats the myopic optimum",
                f"{gain.text('+.4f')}, mean of {options.seeds} agents; over the oracle of the training requests "
                f"{each.interval(far_sighted, ORACLE).text('+.4f')}",
                [gain],
                f"the bound is {each.interval(BOUND, OPTIMUM).text('+.4f')} above it",
            )
        )
    passed = [
        f"{label} in {name}"
        for name, each in standings.items()
        for label in each.sessions
        if label != BOUND and each.interval(label, BOUND).low > 0.0
    ]
    claims.append(
        by_construction(
            "no policy passes the bound",
            "; ".join(
                f"{name} {each.interval(BOUND).text('.4f')}, {PLANNER} {each.interval(PLANNER, BOUND).text('+.4f')}"
                for name, each in standings.items()
            ),
            not passed,
            f"{', '.join(passed)} do",
        )
    )
    for name, each in standings.items():
        ways = ", ".join(
            f"{label} {way_text(each.way(label))}" for label in each.sessions if label not in (BOUND, OPTIMUM)
        )
        claims.append(
            report(
                f"{name}: way from the myopic optimum (0 %) to the bound (100 %)",
                f"{ways}; myopic optimum {each.interval(OPTIMUM).text('.4f')}",
            )
        )
        for gamma in options.gammas:
            label = label_of_discount(gamma)
            agents = [each.interval(label, OPTIMUM, agent).text("+.4f") for agent in range(len(each.sessions[label]))]
            claims.append(report(f"{name}: {label} over the myopic optimum, agent by agent", ", ".join(agents)))
    return claims


def _rows(name: str, standing: SessionMeans) -> list[Row]:
    rows: list[Row] = []
    for label, own in standing.sessions.items():
        agents = (own if own.ndim == 2 else own[None]).mean(axis=1)
        rows.append(
            {
                "scenario": name,
                "policy": label,
                "satisfaction": standing.interval(label),
                "over_optimum": standing.interval(label, OPTIMUM),
                "below_bound": standing.interval(BOUND, label),
                "way_to_bound": standing.way(label),
                "lowest_agent": float(agents.min()),
                "highest_agent": float(agents.max()),
                "failed": standing.failed.get(label, float("nan")),
            }
        )
    return rows


def _draw(standings: Mapping[str, SessionMeans]) -> Figure:
    with house_style():
        figure = Figure(figsize=(0.8 + 4.0 * len(standings), 2.6), layout="constrained")
        panels = figure.subplots(1, len(standings), squeeze=False, sharey=True)[0]
        for panel, (name, standing) in zip(panels, standings.items(), strict=True):
            labels = sorted((label for label in standing.sessions if label != BOUND), key=_order)
            ceiling = standing.interval(BOUND)
            panel.axvspan(ceiling.low, ceiling.high, color=GREY, alpha=0.2, linewidth=0)
            panel.axvline(ceiling.mean, color=GREY, linestyle="--", label=LABELS[BOUND])
            for position, label in enumerate(labels):
                colour, own = OKABE_ITO[position % len(OKABE_ITO)], standing.sessions[label]
                each = standing.interval(label)
                panel.plot([each.low, each.high], [position, position], color=colour, linewidth=2)
                panel.plot(each.mean, position, "o", color=colour)
                if own.ndim == 2:
                    panel.plot(own.mean(axis=1), [position] * len(own), "|", color=colour, markersize=9)
                text = (
                    f"{each.mean:.3f} ({way_text(standing.way(label).mean)})"
                    if label != OPTIMUM
                    else f"{each.mean:.3f}"
                )
                panel.annotate(text, (each.mean, position), (0, 6), textcoords="offset points", ha="center", fontsize=7)
            panel.set_yticks(range(len(labels)), [LABELS.get(label, label) for label in labels])
            panel.set_ylim(len(labels) - 0.5, -0.7)
            panel.set(xlabel="Satisfaction (share of the way to the bound)", title=f"{name}: bound {ceiling.mean:.3f}")
            panel.margins(x=0.12)
    return figure


def _order(label: str) -> int:
    return [OPTIMUM, ORACLE, "D3QN", PRICED, PLANNER].index(label if label in LABELS else "D3QN")
