"""Protocol and split together: ROOT on a list of plans of all four papers, beside ROOT on the splits alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from agents.evaluation.comparison import Outcomes, compare, contender
from agents.evaluation.statistics import Interval, mean_interval, paired_difference
from agents.experiments.shared.findings import Claim, Findings, bar, report
from agents.experiments.shared.learning import trained_root
from agents.experiments.shared.protocol_maps import AXES, ProtocolMap, draw_maps, edges_between
from agents.experiments.shared.states import difference, interval
from agents.experiments.shared.study import RootTraining, Study
from agents.policies import Predictor, load_policy
from agents.policies.model_based import sample_observations
from agents.reports.style import GREY, OKABE_ITO, house_style
from envs import SplitSettings, SplitVectorEnv, observation_to_state
from envs.checks import Count

ORACLE_SHARE = 0.98
LABELS = {
    "oracle": "oracle, all plans",
    "root": "ROOT, all plans",
    "oracle_splits": "oracle, splits",
    "root_splits": "ROOT, splits",
    "two_split": "best rule of two plans",
    "best_fixed": "best single plan",
}
COLOURS = {"root": OKABE_ITO[0], "root_splits": OKABE_ITO[5]}


@dataclass(frozen=True)
class Options:
    """Sizes.

    Attributes:
        plans: the list of the agent that chooses the protocol too.
        seeds: agents of each list.
        num_states: independent states in which expected rewards are exact.
        cells: of the map, along each axis.
        num_sessions: sessions side by side on which the policies really serve requests.
        num_requests: requests served by each policy.
        root: how ROOT is trained; its seed is that of the first agent.
    """

    plans: list[str]
    seeds: Count
    num_states: Count
    cells: Count
    num_sessions: Count
    num_requests: Count
    root: RootTraining


@dataclass(frozen=True)
class Lists:
    """The two lists of plans in one environment: the same requests, link and channel draws.

    Attributes:
        everything, splits: settings of the environments.
        names: of all P plans.
        protocol: int64 [P], index of each plan's protocol in `protocols`.
        protocols: names without the split.
    """

    everything: SplitSettings
    splits: SplitSettings
    names: tuple[str, ...]
    protocol: NDArray[np.int64]
    protocols: tuple[str, ...]

    @classmethod
    def for_study(cls, study: Study, plans: list[str]) -> Lists:
        """Both lists on as many channel draws as the longer one can have.

        Raises:
            ValueError: a plan that is unknown or whose quality nobody has measured; splits alone, or not all splits.
        """
        model = SplitVectorEnv(1, study.settings, plans=plans).model
        shared = replace(study.settings, profile=study.profile.first_draws(model.quality.num_draws))
        splits = SplitVectorEnv(1, shared).model.plan_names
        if not set(splits) < set(model.plan_names):
            raise ValueError(f"experiment.plans needs semaigc and more, got {plans!r}")
        of_plan = [name.partition("(")[0] for name in model.plan_names]
        protocols = tuple(dict.fromkeys(of_plan))
        protocol = np.array([protocols.index(name) for name in of_plan])
        return cls(replace(shared, plans=plans), shared, model.plan_names, protocol, protocols)

    @property
    def columns(self) -> NDArray[np.int64]:
        """Where the splits stand among all plans, in their order."""
        return np.array([self.names.index(name) for name in SplitVectorEnv(1, self.splits).model.plan_names])


@dataclass(frozen=True)
class Chosen:
    """Plans that the policies take in N independent states.

    Attributes:
        observations: float32 [N, 7].
        rewards: float64 [N, P], exact expected reward of every plan.
        actions: policy -> int64 [A, N], plans of its agents; one agent of what does not learn.
    """

    observations: NDArray[np.float32]
    rewards: NDArray[np.float64]
    actions: dict[str, NDArray[np.int64]]

    def expected(self, policy: str) -> NDArray[np.float64]:
        """Expected reward of each agent in each state, [A, N]."""
        return np.take_along_axis(self.rewards, self.actions[policy].T, axis=1).T


def run(study: Study, options: Options) -> Findings:
    """Train agents on both lists, let all policies serve the same requests, and look where which protocol is taken."""
    lists = Lists.for_study(study, options.plans)
    study.note(
        f"every policy has the same {lists.everything.profile.draws(study.receiver)} channel draws: so many have "
        f"been measured for all receivers that the plans need (receiver {study.receiver} alone has "
        f"{study.profile.draws(study.receiver)})"
    )
    agents = {"root": _agents(study, options, lists.everything), "root_splits": _agents(study, options, lists.splits)}
    chosen = _chosen(study, options, lists, agents)
    with study.console.status("Serving requests"):
        served = _serve(study, options, lists, agents)
    maps = _maps(lists, chosen, options.cells)
    return Findings(
        "Protocol and split chosen together",
        {"": _draw(lists, chosen, served), "map": draw_maps(maps, lists.protocols)},
        {
            "": [_row(policy, chosen, served) for policy in LABELS],
            "protocols": _protocol_rows(lists, chosen),
            "map": [row for policy, each in maps.items() for row in _map_rows(policy, each, lists.protocols)],
        },
        _claims(study.receiver, lists, chosen, served),
        study.notes,
    )


def _agents(study: Study, options: Options, settings: SplitSettings) -> list[Predictor]:
    first = options.root.seed
    return [
        trained_root(settings, replace(options.root, seed=seed), study.console)
        for seed in range(first, first + options.seeds)
    ]


def _chosen(study: Study, options: Options, lists: Lists, agents: Mapping[str, list[Predictor]]) -> Chosen:
    env = SplitVectorEnv(1, lists.everything)
    observations = sample_observations(env.model, options.num_states, study.seed)
    rewards, columns = env.model.expected_rewards(observations), lists.columns
    actions = {
        name: np.stack([agent.predict(observations, deterministic=True)[0] for agent in each])
        for name, each in agents.items()
    }
    actions["root_splits"] = columns[actions["root_splits"]]
    actions["oracle"] = rewards.argmax(axis=1)[None]
    actions["oracle_splits"] = columns[rewards[:, columns].argmax(axis=1)][None]
    for rule in ("two_split", "best_fixed"):
        actions[rule] = load_policy(rule, env).predict(observations)[0][None]
    return Chosen(observations, rewards, actions)


def _serve(
    study: Study, options: Options, lists: Lists, agents: Mapping[str, list[Predictor]]
) -> dict[str, list[Outcomes]]:
    """Outcomes of the same requests: policy -> of each agent."""
    policies: dict[str, tuple[list[Any], SplitSettings]] = {
        "oracle": (["oracle"], lists.everything),
        "root": (agents["root"], lists.everything),
        "oracle_splits": (["oracle"], lists.splits),
        "root_splits": (agents["root_splits"], lists.splits),
        "two_split": (["two_split"], lists.everything),
        "best_fixed": (["best_fixed"], lists.everything),
    }
    served = {}
    for name, (each, settings) in policies.items():
        contenders = {str(i): contender(policy, settings, options.num_sessions) for i, policy in enumerate(each)}
        outcomes = compare(contenders, num_requests=options.num_requests, seed=study.seed)
        served[name] = list(outcomes.values())
    return served


def _rewards(outcomes: list[Outcomes]) -> NDArray[np.float64]:
    """Mean reward over the agents of each request."""
    return np.mean([each["reward"] for each in outcomes], axis=0)


def _gain(served: Mapping[str, list[Outcomes]], policy: str, baseline: str) -> Interval:
    return paired_difference(_rewards(served[policy]), _rewards(served[baseline]), served[policy][0]["episode"])


def _claims(receiver: str, lists: Lists, chosen: Chosen, served: Mapping[str, list[Outcomes]]) -> list[Claim]:
    at = f"receiver {receiver}: "
    best, splits = chosen.expected("oracle")[0], chosen.expected("oracle_splits")[0]
    shares = chosen.expected("root").mean(axis=1) / best.mean()
    alone = chosen.expected("root_splits").mean(axis=1) / splits.mean()
    single = lists.names[int(chosen.actions["best_fixed"][0, 0])]
    claims = [
        bar(
            f"ROOT that chooses the protocol too is above {words}",
            f"{at}{_signed(gain)} on the same requests; expected, over states, {_signed(expected)}",
            gain.low > 0,
            f"the optima are {_signed(difference(best, chosen.expected(limit)[0]))} apart",
        )
        for words, gain, expected, limit in (
            (words, _gain(served, "root", name), _expected_gain(chosen, "root", name), limit)
            for name, words, limit in (
                ("root_splits", "ROOT on the splits alone", "oracle_splits"),
                ("oracle_splits", "the exact optimum of the splits alone", "oracle_splits"),
                ("best_fixed", f"the best single scheme, {single}", "best_fixed"),
                ("two_split", "the best rule of two plans of the whole list", "two_split"),
            )
        )
    ]
    gain = difference(best, splits)
    return [
        *claims,
        bar(
            f"ROOT reaches {ORACLE_SHARE:.0%} of the oracle of the whole list of {len(lists.names)} plans",
            f"{at}{shares.mean():.2%} (agents {shares.min():.2%} to {shares.max():.2%}); on the splits alone "
            f"{alone.mean():.2%} of their oracle",
            shares.min() >= ORACLE_SHARE,
            f"an agent has {shares.min():.2%}",
        ),
        report(
            "what choosing the protocol is worth to the optimum",
            f"{at}{_signed(gain)} satisfaction over the best split, {best.mean():.3f} against {splits.mean():.3f}",
        ),
        report(
            "which protocol is taken how often",
            at + "; ".join(f"{_policy(name)}: {_taken(lists, chosen.actions[name])}" for name in ("oracle", "root")),
        ),
        report("how often plans of several protocols are equally good", at + _ties(lists, chosen)),
    ]


def _ties(lists: Lists, chosen: Chosen) -> str:
    """In how many states protocols are equally good, and what ROOT loses where it takes another than the oracle."""
    best = chosen.rewards.max(axis=1)
    of_protocol = [chosen.rewards[:, lists.protocol == index].max(axis=1) for index in range(len(lists.protocols))]
    tied = (np.stack(of_protocol) >= best).sum(axis=0) > 1
    other = lists.protocol[chosen.actions["root"]] != lists.protocol[chosen.actions["oracle"]]
    lost = best - chosen.expected("root")
    share_tied = (other & tied).sum() / max(1, other.sum())
    return (
        f"in {tied.mean():.0%} of the states, and the oracle takes the first in the list; ROOT takes another protocol "
        f"than the oracle in {other.mean():.0%} of its decisions, {share_tied:.0%} of them in such states, and loses "
        f"{lost[other].mean() if other.any() else 0.0:.4f} satisfaction in them on average"
    )


def _policy(name: str) -> str:
    return LABELS[name].partition(",")[0]


def _expected_gain(chosen: Chosen, policy: str, baseline: str) -> Interval:
    return difference(chosen.expected(policy).mean(axis=0), chosen.expected(baseline).mean(axis=0))


def _signed(gain: Interval) -> str:
    return f"{gain.mean:+.4f} (95 % {gain.low:+.4f} to {gain.high:+.4f})"


def _frequencies(lists: Lists, actions: NDArray[np.int64]) -> NDArray[np.float64]:
    """Share of the decisions for each protocol."""
    return np.bincount(lists.protocol[actions].reshape(-1), minlength=len(lists.protocols)) / actions.size


def _taken(lists: Lists, actions: NDArray[np.int64]) -> str:
    shares = zip(lists.protocols, _frequencies(lists, actions), strict=True)
    return ", ".join(f"{name} {share:.1%}" for name, share in sorted(shares, key=lambda each: -each[1]))


def _maps(lists: Lists, chosen: Chosen, cells: int) -> dict[str, dict[str, ProtocolMap]]:
    state = observation_to_state(chosen.observations)
    availability = state["edge_capability_hz"] / SplitVectorEnv(1, lists.splits).model.costs.edge.clock_hz
    rows = edges_between(availability, cells, logarithmic=False)
    maps: dict[str, dict[str, ProtocolMap]] = {}
    for policy in ("oracle", "root"):
        protocol = lists.protocol[chosen.actions[policy]]
        maps[policy] = {
            quantity: ProtocolMap.of(
                np.tile(state[quantity], len(protocol)),
                np.tile(availability, len(protocol)),
                protocol.reshape(-1),
                (edges_between(state[quantity], cells, logarithmic=quantity == "bandwidth_hz"), rows),
            )
            for quantity in AXES
        }
    return maps


def _draw(lists: Lists, chosen: Chosen, served: Mapping[str, list[Outcomes]]) -> Figure:
    with house_style():
        figure = Figure(figsize=(8.4, 3.0), layout="constrained")
        left, right = figure.subplots(1, 2)
        for position, name in enumerate(LABELS):
            mean = mean_interval(_rewards(served[name]), served[name][0]["episode"])
            left.barh(position, mean.mean, color=COLOURS.get(name, GREY), height=0.7)
            left.plot([mean.low, mean.high], [position, position], color="black", linewidth=1.2)
            left.text(mean.high + 0.008, position, f"{mean.mean:.3f}", va="center", fontsize=7)
        left.set_yticks(range(len(LABELS)), list(LABELS.values()))
        left.invert_yaxis()
        left.margins(x=0.12)
        left.set(xlabel="Satisfaction (served requests)")
        positions = np.arange(len(lists.protocols))
        for shift, (name, colour) in zip((-0.2, 0.2), (("oracle", GREY), ("root", OKABE_ITO[0])), strict=True):
            shares = 100 * _frequencies(lists, chosen.actions[name])
            right.barh(positions + shift, shares, height=0.36, color=colour, label=LABELS[name])
            for position, share in enumerate(shares):
                right.text(share + 0.8, position + shift, f"{share:.1f}", va="center", fontsize=7)
        right.set_yticks(positions, lists.protocols)
        right.invert_yaxis()
        right.margins(x=0.12)
        right.set(xlabel="Decisions for the protocol (%)")
        right.legend(loc="lower right")
        for panel in (left, right):
            panel.grid(visible=False, axis="y")
            panel.set_axisbelow(True)
    return figure


def _row(policy: str, chosen: Chosen, served: Mapping[str, list[Outcomes]]) -> dict[str, Any]:
    own = served[policy]
    mean = mean_interval(_rewards(own), own[0]["episode"])
    gain = _gain(served, policy, "root_splits")
    expected = chosen.expected(policy).mean(axis=1)
    over_states = interval(chosen.expected(policy).mean(axis=0))
    return {
        "policy": policy,
        "agents": len(own),
        "satisfaction": mean.mean,
        "satisfaction_low": mean.low,
        "satisfaction_high": mean.high,
        "gain_over_root_splits": gain.mean,
        "gain_over_root_splits_low": gain.low,
        "gain_over_root_splits_high": gain.high,
        "expected": over_states.mean,
        "expected_low": over_states.low,
        "expected_high": over_states.high,
        "relative_to_oracle": float(expected.mean() / chosen.expected("oracle").mean()),
        "relative_to_oracle_lowest_agent": float(expected.min() / chosen.expected("oracle").mean()),
        "latency_s": float(np.mean([each["latency_s"].mean() for each in own])),
        "failed": float(np.mean([each["failed"].mean() for each in own])),
    }


def _protocol_rows(lists: Lists, chosen: Chosen) -> list[dict[str, Any]]:
    rows = []
    best = chosen.rewards.max(axis=1).mean()
    frequencies = {name: _frequencies(lists, chosen.actions[name]) for name in ("oracle", "root")}
    for index, protocol in enumerate(lists.protocols):
        own = lists.protocol == index
        rewards = chosen.rewards[:, own]
        rows.append(
            {
                "protocol": protocol,
                "plans": int(own.sum()),
                "best_plan": np.array(lists.names)[own][rewards.mean(axis=0).argmax()],
                "best_plan_expected": float(rewards.mean(axis=0).max()),
                "oracle_of_it_alone_expected": float(rewards.max(axis=1).mean()),
                "lost_without_it": float(best - chosen.rewards[:, ~own].max(axis=1).mean()),
                "taken_by_oracle": float(frequencies["oracle"][index]),
                "taken_by_root": float(frequencies["root"][index]),
            }
        )
    return rows


def _map_rows(policy: str, maps: Mapping[str, ProtocolMap], protocols: tuple[str, ...]) -> list[dict[str, Any]]:
    return [
        {
            "policy": policy,
            "quantity": quantity,
            "low": float(map_.x[column]),
            "high": float(map_.x[column + 1]),
            "edge_availability_low": float(map_.edge_availability[row]),
            "edge_availability_high": float(map_.edge_availability[row + 1]),
            "protocol": protocols[int(most)] if most >= 0 else "",
            "share": float(map_.share[row, column]),
        }
        for quantity, map_ in maps.items()
        for (row, column), most in np.ndenumerate(map_.most)
    ]
