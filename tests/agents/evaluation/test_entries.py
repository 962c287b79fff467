from __future__ import annotations

import numpy as np

from agents.evaluation.entries import COLUMNS, Entry, Outcomes, by_policy, crossed, joined, scores, session_means


def outcomes(reward: list[float], episode: list[int] | None = None) -> Outcomes:
    zeros = {name: np.zeros(len(reward)) for name in COLUMNS}
    labels = np.arange(len(reward)) // 2 if episode is None else np.array(episode)
    return zeros | {"reward": np.array(reward), "episode": labels, "seed": np.zeros(len(reward), dtype=int)}


def test_seeds_are_further_sessions() -> None:
    both = joined([(5, outcomes([0.0, 1.0, 0.5, 0.5])), (9, outcomes([1.0, 1.0]))])
    assert both["episode"].tolist() == [0, 0, 1, 1, 2, 2]
    assert both["seed"].tolist() == [5, 5, 5, 5, 9, 9]
    assert session_means(both).tolist() == [0.5, 0.5, 1.0]


def test_the_request_of_each_row_is_kept_and_resampled() -> None:
    parts = [(seed, outcomes([0.0, 1.0, 0.5, 0.5]) | {"request": np.array([3, 1, 3, 2])}) for seed in (5, 9)]
    labels = crossed(joined(parts))
    assert labels.requests.tolist() == [3, 1, 3, 2] * 2
    assert labels.episodes.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    runs = [Entry("paper", "agent=dqn", joined([(seed, part)]), str(seed), seed) for seed, part in parts]
    assert by_policy(runs, "paper")["agent=dqn"]["request"].tolist() == [3, 1, 3, 2]


def test_requests_of_a_session_need_not_be_neighbours() -> None:
    assert session_means(outcomes([0.0, 1.0, 1.0, 0.0], [0, 1, 0, 1])).tolist() == [0.5, 0.5]


def test_runs_of_a_group_are_averaged_request_by_request() -> None:
    entries = [
        Entry("paper", "agent=dqn", outcomes([0.0, 1.0]), "a", 0),
        Entry("paper", "agent=dqn", outcomes([1.0, 1.0]), "b", 1),
        Entry("paper", "oracle", outcomes([1.0, 0.0])),
    ]
    found = by_policy(entries, "paper")
    assert found["agent=dqn"]["reward"].tolist() == [0.5, 1.0]
    assert found["agent=dqn"]["episode"].tolist() == [0, 0]
    assert found["oracle"] is entries[2].outcomes
    # Where runs are compared, each is one score.
    assert {policy: own[0].tolist() for policy, own in scores(entries).items()} == {
        "agent=dqn": [0.5, 1.0],
        "oracle": [0.5],
    }


def test_scores_of_sessions_in_every_scenario() -> None:
    entries = [
        Entry("paper", "oracle", outcomes([0.0, 1.0, 1.0, 1.0])),
        Entry("iot", "oracle", outcomes([0.0, 0.0])),
        Entry("paper", "root", outcomes([0.0, 1.0])),
    ]
    # ROOT is not in all scenarios: together they cannot be compared.
    assert {policy: [own.tolist() for own in each] for policy, each in scores(entries).items()} == {
        "oracle": [[0.5, 1.0], [0.0]]
    }
