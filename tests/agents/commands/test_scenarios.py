"""The rules that a scenario is measured by, and the command that measures and draws."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from agents import load_policy
from agents.commands.scenarios import measure
from agents.policies import FixedPolicy, Oracle, rule_search
from agents.policies import rule_search as priced
from agents.policies.model_based import StateOracle
from agents.policies.rule_search import Priced, RuleSearch, TwoPlans, best_prices
from envs import SplitEnv, SplitVectorEnv
from envs.transceiver.profile.profile import QualityProfile

PROFILE = QualityProfile.synthetic(num_requests=4)
SCRIPT = "agents/scenarios/__main__.py"
FEW = ["semaigc(0)", "semaigc(10)", "semaigc(18)", "edge_aigc"]


@pytest.fixture(autouse=True)
def small_search(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, size in {"COARSE_PLANS": 3, "COARSE_THRESHOLDS": 2, "THRESHOLDS": 3, "ROUNDS": 1}.items():
        monkeypatch.setattr(rule_search, name, size)
    for name in ("PER_EDGE_S", "PER_USER_J"):
        monkeypatch.setattr(priced, name, (0.0, 1e-4))


def settings(scenario: Any = "paper", **changes: Any) -> dict[str, Any]:
    return {"profile": PROFILE, "plans": FEW, "scenario": scenario, **changes}


def test_two_plans_switch_at_their_threshold_on_any_quantity() -> None:
    observations = np.zeros((3, 8), dtype=np.float32)
    observations[:, 7] = [0.1, 0.5, 0.9]
    assert TwoPlans(7, 2, 3, 0.5).predict(observations)[0].tolist() == [2, 3, 3]


def test_the_search_finds_the_best_of_what_it_tries() -> None:
    search = RuleSearch(settings(), num_requests=400, seed=3)
    fixed = search.best_fixed()
    rewards = [search.mean_reward(TwoPlans(0, action, action, 0.5)) for action in range(len(FEW))]
    assert fixed.action == int(np.argmax(rewards))
    rule = search.two_plans()
    assert search.names[rule.index] == "edge_capability_hz"
    assert search.mean_reward(rule) >= max(rewards)


def test_prices_are_sought_where_decisions_reach_further() -> None:
    assert best_prices(RuleSearch(settings(), 40, 0)) == {}
    assert set(best_prices(RuleSearch(settings("queue"), 40, 0))) == {"per_edge_s"}
    assert set(best_prices(RuleSearch(settings("battery"), 40, 0))) == {"per_user_j"}


def test_rules_by_name_know_of_the_queue() -> None:
    """Always taking 18 steps at the edge is best on first requests, whose queue is nearly empty, and then piles up."""
    env = SplitVectorEnv(8, profile=PROFILE, scenario={"name": "queue", "interval_s": 2.0})
    fixed, rule = load_policy("best_fixed", env), load_policy("two_split", env)
    assert isinstance(fixed, FixedPolicy)
    search = RuleSearch.for_model(env.model, 2_000, seed=9)
    assert search.mean_reward(fixed) > search.mean_reward(FixedPolicy(18)) + 0.1
    assert isinstance(rule, TwoPlans)
    assert search.mean_reward(rule) >= search.mean_reward(fixed)


def test_a_price_of_nothing_is_the_oracle_and_a_high_one_spares_the_resource() -> None:
    env = SplitVectorEnv(200, **settings("queue"))
    observations, _ = env.reset(seed=0)
    np.testing.assert_array_equal(Priced(env).actions(observations), Oracle(env.model).actions(observations))
    assert not Priced(env, per_edge_s=10.0).actions(observations).any()  # semaigc(0) takes no second of the edge
    drained = SplitVectorEnv(200, **settings({"name": "battery", "battery_j": 300.0}))
    observations, _ = drained.reset(seed=0)
    chosen = Priced(drained, per_user_j=1e-5).actions(observations)
    assert drained.action_masks()[np.arange(200), chosen].all()


def test_the_oracle_of_an_averaged_observation_looks_at_the_true_state() -> None:
    averaged = SplitVectorEnv(50, **settings(observation_window=5))
    plain = SplitVectorEnv(50, **settings())
    policies = load_policy("oracle", averaged), load_policy("oracle", plain)
    assert isinstance(policies[0], StateOracle)
    (blurred, _), (sharp, _) = averaged.reset(seed=1), plain.reset(seed=1)
    for _ in range(6):
        actions = policies[0].predict(blurred)[0]
        # The observation is float32, so that near ties may fall either way.
        assert np.mean(actions == policies[1].predict(sharp)[0]) > 0.95
        blurred, sharp = averaged.step(actions)[0], plain.step(actions)[0]
    assert not np.array_equal(blurred, sharp)
    with pytest.raises(ValueError, match="50 observations.* got 2"):
        policies[0].predict(np.zeros((2, 7)))
    single = SplitEnv(**settings(observation_window=5))
    observation, _ = single.reset(seed=0)
    assert load_policy("oracle", single).predict(observation)[0] in range(len(FEW))


def test_policies_of_a_scenario_serve_the_same_requests() -> None:
    found = measure(settings("battery"), 16, 640, 80, seed=5)
    assert [row.policy for row in found.rows] == ["priced", "oracle", "two_plans", "best_fixed"]
    again = measure(settings("battery"), 16, 640, 80, seed=5)
    assert found == again
    assert found.rows[2].over_two_plans.mean == 0.0
    assert found.price_over_oracle is not None
    assert found.over_rule.mean == pytest.approx(found.rows[1].satisfaction.mean - found.rows[2].satisfaction.mean)
    assert measure(settings(), 16, 320, 80, seed=5).price_over_oracle is None


def test_a_scenario_without_choice_is_called_degenerate() -> None:
    alone = settings(plans=["semaigc(10)", "semaigc(11)"], scenario={"latency_low_s": 20.0, "latency_high_ratio": 9.0})
    assert measure(alone, 8, 160, 80, seed=0).is_degenerate


@pytest.mark.slow
def test_the_command_writes_the_page_and_looks_right(
    profile_file: Path, tmp_path: Path, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    page, pictures = tmp_path / "scenarios.md", tmp_path / "pictures"
    small = ["num_requests=160", "search_requests=20", "num_envs=8", f"profile={profile_file}"]
    ids = "ids=[SemAIGC/Queue-v0,SemAIGC/IoT-v0]"
    assert command(SCRIPT, ids, *small, f"document={page}", f"pictures={pictures}") == 0
    text = page.read_text()
    for part in ("## queue", "## iot", "![Sample paths](pictures/queue.png)", "Lindley", "\n160 requests"):
        assert part in text
    assert "Attributes:" not in text
    for name in ("queue", "iot"):
        assert np.asarray(Image.open(pictures / f"{name}.png")).std() > 5
    capsys.readouterr()


@pytest.mark.parametrize(
    ("argument", "message"),
    [
        ("ids=[SemAIGC/Moon-v0]", "unknown id 'SemAIGC/Moon-v0'; allowed: SemAIGC/Split-v0"),
        ("num_envs=0", "num_envs must be an integer >= 1, got 0"),
        ("pictures=/elsewhere", "pictures must lie below the page's folder"),
    ],
)
def test_bad_input_ends_in_one_line(
    argument: str, message: str, command: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(SCRIPT, argument) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert message in error
    assert error.count("\n") == 1
