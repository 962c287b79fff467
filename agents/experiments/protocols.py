"""Protocol and split together: ROOT on a list of plans of all four papers, beside ROOT on the splits alone.

The exact optima know the very requests that they serve (`oracle_bound`); `oracle`, ROOT and the rules know the training
requests.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from agents.evaluation.comparison import compare, contender
from agents.evaluation.expected import margins_of_actions
from agents.evaluation.statistics import Interval, Margins, ratio_of_margins
from agents.experiments.shared.claims import Claim, order_claim, per_receiver, report
from agents.experiments.shared.findings import Findings, Row, named_rows
from agents.experiments.shared.learning import trained_root
from agents.experiments.shared.protocol_maps import draw_maps, maps_over
from agents.experiments.shared.states import ServedByAgents
from agents.experiments.shared.study import RootTraining, Study
from agents.policies import Predictor, load_policy
from agents.policies.model_based import sample_observations
from agents.reports.drawing import draw_bars, finish_bars, subplots
from agents.reports.style import GREY, OKABE_ITO, house_style
from envs import SplitSettings, SplitVectorEnv, observation_to_state
from envs.checks import Count

ORACLE_SHARE = 0.98
LABELS = {
    "oracle_bound": "exact optimum, all plans",
    "oracle": "oracle, all plans",
    "root": "ROOT, all plans",
    "oracle_bound_splits": "exact optimum, splits",
    "root_splits": "ROOT, splits",
    "two_split": "best rule of two plans",
    "best_fixed": "best single plan",
}


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
        """Both lists on as many requests and channel draws as the longer one can have.

        Raises:
            ValueError: a plan that is unknown or whose quality was not measured; splits alone, or not all splits.
        """
        model = SplitVectorEnv(1, study.settings, plans=plans).model
        limits = model.quality.num_requests, model.quality.num_draws
        shared = replace(study.settings, profile=study.profile.limited(*limits))
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
class PlansTaken:
    """Plans that the policies take in N independent states.

    Attributes:
        state: name -> [N], in physical units.
        rewards: float64 [N, P], exact expected reward of every plan.
        actions: policy -> int64 [A, N], plans of its agents; one agent of what does not learn.
        earned: policy -> what they earn in every state with every request, margins [A].
    """

    state: Mapping[str, NDArray[np.float64]]
    rewards: NDArray[np.float64]
    actions: dict[str, NDArray[np.int64]]
    earned: dict[str, Margins]

    def expected(self, policy: str) -> NDArray[np.float64]:
        """Expected reward of each agent in each state, [A, N]."""
        return self.earned[policy].by_state

    def share_of_bound(self, policy: str, bound: str) -> list[Interval]:
        """Expected reward of each agent as a share of a bound's, over states and requests."""
        whole = self.earned[bound].over_first()
        return [ratio_of_margins(self.earned[policy][index], whole) for index in range(len(self.actions[policy]))]

    def gain(self, policy: str, baseline: str) -> Interval:
        """Of the expected reward over states and requests, in the mean over agents as they are."""
        return (self.earned[policy].over_first() - self.earned[baseline].over_first()).interval()


def run(study: Study, options: Options) -> Findings:
    """Train agents on both lists, let all policies serve the same requests, and look where which protocol is taken."""
    lists = Lists.for_study(study, options.plans)
    same, alone = (SplitVectorEnv(1, each).model.quality for each in (lists.everything, study.settings))
    study.note(
        f"every policy has the same {same.num_requests} requests and {same.num_draws} channel draws: as many as have "
        f"been measured for all receivers that the plans need (receiver {study.receiver} alone has "
        f"{alone.num_requests} and {alone.num_draws})"
    )
    agents = {"root": _agents(study, options, lists.everything), "root_splits": _agents(study, options, lists.splits)}
    chosen = _chosen(study, options, lists, agents)
    with study.console.status("Serving requests"):
        served = _serve(study, options, lists, agents)
    taken = {policy: lists.protocol[chosen.actions[policy]] for policy in ("oracle_bound", "root")}
    maps = maps_over(chosen.state, taken, options.cells)
    return Findings(
        "Protocol and split chosen together",
        {"": _draw(lists, chosen, served), "map": draw_maps(maps, lists.protocols)},
        {
            "": [_row(policy, chosen, served) for policy in LABELS],
            "protocols": _protocol_rows(lists, chosen),
            "map": named_rows(
                "policy",
                maps,
                lambda each: named_rows("quantity", each, lambda map_: map_.rows(lists.protocols)),
            ),
        },
        per_receiver({study.receiver: chosen}, lambda each: _claims(lists, each, served)),
        study.notes,
    )


def _agents(study: Study, options: Options, settings: SplitSettings) -> list[Predictor]:
    first = options.root.seed
    return [
        trained_root(settings, replace(options.root, seed=seed), study.console)
        for seed in range(first, first + options.seeds)
    ]


def _chosen(study: Study, options: Options, lists: Lists, agents: Mapping[str, list[Predictor]]) -> PlansTaken:
    env = SplitVectorEnv(1, lists.everything)
    observations = sample_observations(env.model, options.num_states, study.seed)
    rewards, columns = env.model.expected_rewards(observations), lists.columns
    actions = {
        name: np.stack([agent.predict(observations, deterministic=True)[0] for agent in each])
        for name, each in agents.items()
    }
    actions["root_splits"] = columns[actions["root_splits"]]
    actions["oracle_bound"] = rewards.argmax(axis=1)[None]
    actions["oracle_bound_splits"] = columns[rewards[:, columns].argmax(axis=1)][None]
    for rule in ("oracle", "two_split", "best_fixed"):
        actions[rule] = load_policy(rule, env).predict(observations)[0][None]
    state = observation_to_state(observations)
    availability = state["edge_capability_hz"] / env.model.costs.edge.clock_hz
    whole = margins_of_actions(env.model, observations, np.concatenate(list(actions.values())))
    ends = np.cumsum([len(own) for own in actions.values()])
    earned = {name: whole[end - len(own) : end] for (name, own), end in zip(actions.items(), ends, strict=True)}
    return PlansTaken(state | {"edge_availability": availability}, rewards, actions, earned)


def _serve(study: Study, options: Options, lists: Lists, agents: Mapping[str, list[Predictor]]) -> ServedByAgents:
    policies: dict[str, tuple[list[Any], SplitSettings]] = {
        "oracle_bound": (["oracle_bound"], lists.everything),
        "oracle": (["oracle"], lists.everything),
        "root": (agents["root"], lists.everything),
        "oracle_bound_splits": (["oracle_bound"], lists.splits),
        "root_splits": (agents["root_splits"], lists.splits),
        "two_split": (["two_split"], lists.everything),
        "best_fixed": (["best_fixed"], lists.everything),
    }
    served = {}
    for name, (each, settings) in policies.items():
        contenders = {str(i): contender(policy, settings, options.num_sessions) for i, policy in enumerate(each)}
        outcomes = compare(contenders, num_requests=options.num_requests, seed=study.seed)
        served[name] = list(outcomes.values())
    return ServedByAgents(served)


def _claims(lists: Lists, chosen: PlansTaken, served: ServedByAgents) -> list[Claim]:
    best, splits = chosen.expected("oracle_bound")[0], chosen.expected("oracle_bound_splits")[0]
    shares = chosen.share_of_bound("root", "oracle_bound")
    alone = chosen.share_of_bound("root_splits", "oracle_bound_splits")
    lowest = min(shares, key=lambda share: share.mean)
    single = lists.names[int(chosen.actions["best_fixed"][0, 0])]
    opponents = {
        "root_splits": ("ROOT on the splits alone", "oracle_bound_splits"),
        "oracle_bound_splits": ("the exact optimum of the splits alone", "oracle_bound_splits"),
        "best_fixed": (f"the best single scheme, {single}", "best_fixed"),
        "two_split": ("the best rule of two plans of the whole list", "two_split"),
    }
    above = [
        order_claim(
            "project",
            f"ROOT that chooses the protocol too is above {words}",
            f"{served.gain('root', name).text('+.4f')} on the same requests; expected, over states, "
            f"{chosen.gain('root', name).text('+.4f')}",
            [served.gain("root", name)],
            f"the optima are {chosen.gain('oracle_bound', limit).text('+.4f')} apart",
        )
        for name, (words, limit) in opponents.items()
    ]
    return [
        *above,
        order_claim(
            "project",
            f"every agent has more than {ORACLE_SHARE:.0%} of the exact optimum of the whole list of "
            f"{len(lists.names)} plans",
            f"{', '.join(share.text('.2%') for share in shares)}; on the splits alone "
            f"{np.mean([share.mean for share in alone]):.2%} of theirs; over the oracle of the training requests "
            f"{chosen.gain('root', 'oracle').text('+.4f')}",
            shares,
            f"an agent has {lowest.text('.2%')}",
            above=ORACLE_SHARE,
        ),
        report(
            "what choosing the protocol is worth to the optimum",
            f"{chosen.gain('oracle_bound', 'oracle_bound_splits').text('+.4f')} satisfaction over the best split, "
            f"{best.mean():.3f} against {splits.mean():.3f}",
        ),
        report(
            "which protocol is taken how often",
            f"exact optimum: {_taken(lists, chosen.actions['oracle_bound'])}; "
            f"ROOT: {_taken(lists, chosen.actions['root'])}",
        ),
        report("how often plans of several protocols are equally good", _ties(lists, chosen)),
    ]


def _ties(lists: Lists, chosen: PlansTaken) -> str:
    """In how many states protocols are equally good, and what ROOT loses where it takes another than the optimum."""
    best = chosen.rewards.max(axis=1)
    of_protocol = [chosen.rewards[:, lists.protocol == index].max(axis=1) for index in range(len(lists.protocols))]
    tied = (np.stack(of_protocol) >= best).sum(axis=0) > 1
    other = lists.protocol[chosen.actions["root"]] != lists.protocol[chosen.actions["oracle_bound"]]
    lost = best - chosen.expected("root")
    share_tied = (other & tied).sum() / max(1, other.sum())
    return (
        f"in {tied.mean():.0%} of the states, and the optimum takes the first in the list; ROOT takes another protocol "
        f"than the optimum in {other.mean():.0%} of its decisions, {share_tied:.0%} of them in such states, and loses "
        f"{lost[other].mean() if other.any() else 0.0:.4f} satisfaction in them on average"
    )


def _frequencies(lists: Lists, actions: NDArray[np.int64]) -> NDArray[np.float64]:
    """Share of the decisions for each protocol."""
    return np.bincount(lists.protocol[actions].reshape(-1), minlength=len(lists.protocols)) / actions.size


def _taken(lists: Lists, actions: NDArray[np.int64]) -> str:
    shares = zip(lists.protocols, _frequencies(lists, actions), strict=True)
    return ", ".join(f"{name} {share:.1%}" for name, share in sorted(shares, key=lambda each: -each[1]))


@house_style()
def _draw(lists: Lists, chosen: PlansTaken, served: ServedByAgents) -> Figure:
    figure, (left, right) = subplots(8.4, 3.0, 1, 2)
    colours = {"root": OKABE_ITO[0], "root_splits": OKABE_ITO[5]}
    bars = {label: (served.satisfaction(name), colours.get(name, GREY)) for name, label in LABELS.items()}
    draw_bars(left, bars, gap=0.008)
    left.set(xlabel="Satisfaction (served requests)")
    positions = np.arange(len(lists.protocols))
    for shift, name, colour in ((-0.2, "oracle_bound", GREY), (0.2, "root", OKABE_ITO[0])):
        shares = 100 * _frequencies(lists, chosen.actions[name])
        right.barh(positions + shift, shares, height=0.36, color=colour, label=LABELS[name])
        for position, share in enumerate(shares):
            right.text(share + 0.8, position + shift, f"{share:.1f}", va="center", fontsize=7)
    finish_bars(right, lists.protocols)
    right.set(xlabel="Decisions for the protocol (%)")
    for panel in (left, right):
        panel.invert_yaxis()
    right.legend(loc="lower right")
    return figure


def _row(policy: str, chosen: PlansTaken, served: ServedByAgents) -> Row:
    expected, bound = chosen.expected(policy), chosen.expected("oracle_bound").mean()
    return {
        "policy": policy,
        "agents": len(expected),
        "satisfaction": served.satisfaction(policy),
        "gain_over_root_splits": served.gain(policy, "root_splits"),
        "expected": chosen.earned[policy].over_first().interval(),
        "relative_to_bound": ratio_of_margins(
            chosen.earned[policy].over_first(), chosen.earned["oracle_bound"].over_first()
        ),
        "relative_to_bound_lowest_agent": float(expected.mean(axis=1).min() / bound),
        "latency_s": served.mean(policy, "latency_s"),
        "failed": served.mean(policy, "failed"),
    }


def _protocol_rows(lists: Lists, chosen: PlansTaken) -> list[Row]:
    rows: list[Row] = []
    best = chosen.rewards.max(axis=1).mean()
    frequencies = {name: _frequencies(lists, chosen.actions[name]) for name in ("oracle_bound", "root")}
    for index, protocol in enumerate(lists.protocols):
        own = lists.protocol == index
        rewards = chosen.rewards[:, own]
        rows.append(
            {
                "protocol": protocol,
                "plans": int(own.sum()),
                "best_plan": np.array(lists.names)[own][rewards.mean(axis=0).argmax()],
                "best_plan_expected": float(rewards.mean(axis=0).max()),
                "optimum_of_it_alone_expected": float(rewards.max(axis=1).mean()),
                "lost_without_it": float(best - chosen.rewards[:, ~own].max(axis=1).mean()),
                **{f"taken_by_{name}": float(shares[index]) for name, shares in frequencies.items()},
            }
        )
    return rows
