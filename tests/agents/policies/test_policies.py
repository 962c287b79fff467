from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from stable_baselines3.common.utils import obs_as_tensor

from agents import ALGORITHMS, POLICY_NAMES, REQUIRED_PLANS, SB3VecEnv, load_policy, make_agent
from agents.policies import Clairvoyant, EstimatedState, FixedPolicy, Oracle, fitted, loading, planner
from agents.policies.base import Actions, Observations, Policy
from agents.policies.model_based import StateOracle, sample_observations
from agents.policies.rule_search import Priced, RuleSearch, TwoPlans, fit_two_plans
from agents.runs.learn import copy_policy
from envs import OBSERVATION_BOUNDS, SplitEnv, SplitVectorEnv, observation_to_state
from envs.transceiver import ACCEPTANCE_RULES, QualityProfile
from tests.profiles import synthetic_profile

PROFILE = synthetic_profile(num_requests=4)
FEW = ["semaigc(0)", "semaigc(10)", "semaigc(18)", "edge_aigc"]
PLANNERS = ("planner", "planner_bound")
UNTRAINED = [name for name in POLICY_NAMES if name not in ("root", *PLANNERS)]


RULE = ACCEPTANCE_RULES["alignment"]


def vector_env(num_envs: int = 3, plans: list[str] | None = None, acceptance: Any = None) -> SplitVectorEnv:
    return SplitVectorEnv(num_envs, profile=PROFILE, plans=plans, acceptance=acceptance)


def rewards_of(policy: Any, model: Any, observations: Any) -> float:
    actions, _ = policy.predict(observations)
    return float(model.expected_rewards(observations)[np.arange(len(observations)), actions].mean())


@pytest.mark.parametrize("name", UNTRAINED)
def test_every_policy_acts_in_single_and_batched_environments(name: str) -> None:
    batched = vector_env(plans=REQUIRED_PLANS[name])
    observations, _ = batched.reset(seed=0)
    actions, state = load_policy(name, batched).predict(observations)
    assert (actions.shape, actions.dtype, state) == ((3,), np.int64, None)
    batched.step(actions)
    single = SplitEnv(profile=PROFILE, plans=REQUIRED_PLANS[name])
    observation, _ = single.reset(seed=0)
    action, state = load_policy(name, single).predict(observation, state=None, deterministic=True)
    assert (action.shape, state) == ((), None)
    single.step(action)


@pytest.fixture
def coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, size in {"BACKLOG_STEP_S": 2.0, "BATTERY_STEP_J": 200.0, "NUM_STATES": 60}.items():
        monkeypatch.setattr(planner, name, size)


@pytest.mark.usefixtures("coarse")
@pytest.mark.parametrize("name", PLANNERS)
@pytest.mark.parametrize("scenario", ["queue", "battery"])
def test_planners_act_where_decisions_reach_later_requests(name: str, scenario: str) -> None:
    batched = SplitVectorEnv(3, profile=PROFILE, plans=FEW, scenario=scenario, requests="test")
    observations, _ = batched.reset(seed=0)
    loaded = load_policy(name, batched)
    batched.step(loaded.predict(observations)[0])
    with pytest.raises(ValueError, match="planner needs 3 observations, one an environment; got 2"):
        loaded.predict(observations[:2])
    single = SplitEnv(profile=PROFILE, plans=FEW, scenario=scenario)
    observation, _ = single.reset(seed=0)
    action, _ = load_policy(name, single).predict(observation)
    assert action.shape == ()
    single.step(action)


@pytest.mark.parametrize("name", PLANNERS)
def test_a_planner_says_what_it_is_for(name: str) -> None:
    with pytest.raises(ValueError, match="planning is for the scenarios queue and battery, got paper"):
        load_policy(name, vector_env())


def on_test(**changes: Any) -> SplitVectorEnv:
    return SplitVectorEnv(40, **{"profile": PROFILE, "requests": "test"} | changes)


def test_policies_are_fitted_on_the_training_requests_and_bounds_on_the_environments_own() -> None:
    env, train = on_test(), SplitVectorEnv(1, profile=PROFILE).model
    observations, _ = env.reset(seed=0)
    known, own = (model.expected_rewards(observations).argmax(axis=1) for model in (train, env.model))
    assert (known != own).any()  # else this shows nothing
    assert np.array_equal(load_policy("oracle", env).predict(observations)[0], known)
    assert np.array_equal(load_policy("oracle_bound", env).predict(observations)[0], own)
    assert np.array_equal(Priced(env).actions(observations), known)
    estimated = load_policy("model_based_estimated", env, seed=3)
    assert np.array_equal(
        estimated.predict(observations)[0], EstimatedState(Oracle(train), seed=3).predict(observations)[0]
    )
    for name in ("two_split", "best_fixed"):
        assert load_policy(name, env) == load_policy(name, SplitVectorEnv(1, profile=PROFILE))
        alone = QualityProfile(
            {("prompt", "train"): PROFILE.part("test")}, PROFILE.num_inference_steps, PROFILE.fingerprint
        )
        assert load_policy(name, env) != load_policy(name, SplitVectorEnv(1, profile=alone))
    assert np.array_equal(load_policy("clairvoyant", env).predict(observations)[0], env.realised_rewards().argmax(1))
    assert fitted(train) is train
    assert fitted(env.model).requests == train.requests != env.model.requests


def test_the_oracle_of_an_averaged_observation_is_fitted_on_the_training_requests() -> None:
    env = on_test(observation_window=3)
    observations, _ = env.reset(seed=0)
    known = SplitVectorEnv(1, profile=PROFILE).model.expected_rewards_in(env.core.state).argmax(axis=1)
    assert np.array_equal(load_policy("oracle", env).predict(observations)[0], known)
    assert not np.array_equal(load_policy("oracle_bound", env).predict(observations)[0], known)


@pytest.mark.usefixtures("coarse")
def test_a_planner_is_fitted_on_the_training_requests() -> None:
    env = on_test(scenario="queue", plans=FEW)
    env.reset(seed=0)
    one, bound, trained = (
        load_policy(name, each).values.outlooks  # type: ignore[attr-defined]
        for name, each in (
            ("planner", env),
            ("planner_bound", env),
            ("planner", SplitVectorEnv(1, profile=PROFILE, scenario="queue", plans=FEW)),
        )
    )
    assert np.array_equal(one, trained)
    assert not np.array_equal(one, bound)


def test_rules_are_searched_on_the_training_requests() -> None:
    search = RuleSearch(on_test(scenario="queue", plans=FEW).model.settings, 80, seed=1)
    assert search.env.model.settings.requests == "train"


def test_policies_are_ordered_as_their_knowledge_is() -> None:
    env = vector_env()
    observations = sample_observations(env.model, 2000, seed=1)
    values = {name: rewards_of(load_policy(name, env), env.model, observations) for name in UNTRAINED if _plain(name)}
    assert values["oracle"] > values["two_split"] > values["best_fixed"]
    assert values["best_fixed"] > max(values[name] for name in ("non_root", "non_finetuning", "random"))


def test_oracle_maximises_and_clairvoyant_realises() -> None:
    env = vector_env(50)
    observations, _ = env.reset(seed=0)
    assert np.array_equal(Oracle(env.model).actions(observations), env.model.expected_rewards(observations).argmax(1))
    best = env.realised_rewards().max(axis=1)
    rewards = env.step(Clairvoyant(env).predict(observations)[0])[1]
    assert np.array_equal(rewards, best)


def test_clairvoyant_refuses_observations_of_elsewhere() -> None:
    env = vector_env()
    env.reset(seed=0)
    with pytest.raises(ValueError, match="3 observations.* got 2"):
        Clairvoyant(env).predict(np.zeros((2, 7)))


def test_the_oracle_of_an_averaged_observation_looks_at_the_true_state() -> None:
    averaged = SplitVectorEnv(50, profile=PROFILE, plans=FEW, observation_window=5)
    plain = SplitVectorEnv(50, profile=PROFILE, plans=FEW)
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
    single = SplitEnv(profile=PROFILE, plans=FEW, observation_window=5)
    observation, _ = single.reset(seed=0)
    assert load_policy("oracle", single).predict(observation)[0] in range(len(FEW))


class Remembers(Policy):
    """Keeps what it was asked about."""

    def actions(self, observations: Observations) -> Actions:
        self.asked = observations
        return np.zeros(len(observations), np.int64)


def test_errors_of_the_estimated_state_have_the_stated_size() -> None:
    """20,000 states: the standard error of a standard deviation is 0.5 %, the tolerance 2.5 %."""
    inner, observations = Remembers(), np.full((20_000, 7), 0.5, np.float32)
    EstimatedState(inner, seed=3).predict(observations)
    true, told = observation_to_state(observations), observation_to_state(inner.asked)
    assert inner.asked.dtype == np.float32
    assert np.std(told["snr_db"] - true["snr_db"]) == pytest.approx(2.0, rel=0.025)
    for name in ("edge_capability_hz", "user_capability_hz"):
        assert np.std(told[name] / true[name]) == pytest.approx(0.1, rel=0.025)
    assert np.std(np.log(told["bandwidth_hz"] / true["bandwidth_hz"])) == pytest.approx(0.1, rel=0.025)
    for name in ("edge_density", "user_density", "latency_low_s"):
        assert np.array_equal(told[name], true[name])


def test_estimated_state_stays_within_bounds_and_further_entries_are_exact() -> None:
    inner = Remembers()
    observations = np.random.default_rng(0).integers(2, size=(1000, 9)).astype(np.float32)
    EstimatedState(inner, seed=0).actions(observations)
    assert inner.asked.min() >= 0
    assert inner.asked.max() <= 1
    assert np.array_equal(inner.asked[:, 7:], observations[:, 7:])


def test_estimated_state_is_seeded_and_costs_reward() -> None:
    env = vector_env()
    observations = sample_observations(env.model, 2000, seed=1)
    runs = [load_policy("model_based_estimated", env, seed=seed).predict(observations)[0] for seed in (1, 1, 2)]
    assert np.array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])
    oracle, estimated = (load_policy(name, env) for name in ("oracle", "model_based_estimated"))
    assert rewards_of(oracle, env.model, observations) > rewards_of(estimated, env.model, observations)


@pytest.mark.parametrize("name", ["oracle", "clairvoyant", "model_based_estimated", "best_fixed", "two_split"])
@pytest.mark.parametrize("scenario", ["paper", "queue"])
def test_there_is_no_best_action_for_a_vector(name: str, scenario: str) -> None:
    env = SplitVectorEnv(2, profile=PROFILE, reward="vector", scenario=scenario)
    with pytest.raises(ValueError, match="a vector of satisfaction, quality, latency, energy: weigh them"):
        load_policy(name, env)
    windowed = SplitVectorEnv(2, profile=PROFILE, reward="vector", observation_window=3)
    with pytest.raises(ValueError, match="needs a reward that is one number"):
        load_policy(name, windowed)


def test_two_split_recovers_a_planted_rule() -> None:
    capability = np.array([5.0, 1.0, 4.0, 2.0, 3.0])
    rewards = np.zeros((5, 3))
    rewards[capability < 3, 2], rewards[capability >= 3, 1] = 1.0, 1.0
    assert fit_two_plans(3, capability, rewards) == TwoPlans(3, low_action=2, high_action=1, threshold=3.0)


@given(arrays(np.float64, (6, 3), elements=st.floats(0, 1)))
def test_two_split_is_at_least_as_good_as_any_rule(rewards: Any) -> None:
    capability = np.arange(6.0)
    rule = fit_two_plans(0, capability, rewards)
    found = rewards[np.arange(6), rule.actions(capability[:, None])].sum()
    best = max(rewards[:k].sum(0).max(initial=0) + rewards[k:].sum(0).max(initial=0) for k in range(7))
    assert found == pytest.approx(best)


def test_two_split_switches_at_the_threshold() -> None:
    env = vector_env(100)
    observations, info = env.reset(seed=0)
    low_hz, high_hz = OBSERVATION_BOUNDS["edge_capability_hz"]
    rule = TwoPlans(3, 2, 9, (0.5 * env.model.costs.edge.clock_hz - low_hz) / (high_hz - low_hz))
    assert np.array_equal(rule.actions(observations), np.where(info["state"]["edge_availability"] < 0.5, 2, 9))


def test_fixed_schemes_are_the_papers() -> None:
    env = vector_env()
    assert load_policy("non_root", env).actions(np.zeros((1, 7))).tolist() == [10]
    assert load_policy("non_finetuning", env).actions(np.zeros((1, 7))).tolist() == [20]
    mixed = vector_env(plans=["semaigc", "edge_aigc", "local_aigc"])
    assert load_policy("local", mixed).actions(np.zeros((2, 7))).tolist() == [22, 22]


@pytest.mark.parametrize("name", ["edge", "local"])
def test_missing_plan_is_named(name: str) -> None:
    with pytest.raises(ValueError, match=rf"{name}_aigc.*semaigc\(20\)"):
        load_policy(name, vector_env())


def test_random_is_seeded() -> None:
    env, observations = vector_env(), np.zeros((20, 7))
    runs = [load_policy("random", env, seed=seed).predict(observations)[0] for seed in (1, 1, 2)]
    assert np.array_equal(runs[0], runs[1])
    assert not np.array_equal(runs[0], runs[2])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_trained_agents_load_from_file_and_folder_and_are_greedy(algorithm: str, tmp_path: Path) -> None:
    env = vector_env()
    batch = {"batch_size": 64} if "ppo" in algorithm else {}
    tiny = {} if algorithm == "linucb" else {"policy_kwargs": {"net_arch": [8]}}
    agent = make_agent(algorithm, env, seed=0, **tiny, **batch)
    agent.save(tmp_path / "policy.zip")
    observations = sample_observations(env.model, 100, seed=0)
    expected = agent.predict(observations, deterministic=True)[0]
    for path in (tmp_path, tmp_path / "policy.zip", str(tmp_path)):
        assert np.array_equal(load_policy(path, env).predict(observations)[0], expected)
    assert type(load_policy(tmp_path, env).agent) is ALGORITHMS[algorithm]  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match=r"Discrete\(21\).*Discrete\(1\)"):
        load_policy(tmp_path, vector_env(plans=["edge_aigc"]))


def test_trained_agents_know_their_plans(tmp_path: Path) -> None:
    one, other = vector_env(plans=["semaigc(3)", "edge_aigc"]), vector_env(plans=["edge_aigc", "semaigc(3)"])
    agent = make_agent("d3qn", one, seed=0, policy_kwargs={"net_arch": [8]})
    agent.save(tmp_path / "policy.zip")
    load_policy(tmp_path, one)
    refused = r"chooses among 2 plans \(semaigc\(3\) .. edge_aigc\), .* 2 \(edge_aigc .. semaigc\(3\)\)"
    with pytest.raises(ValueError, match=refused):
        load_policy(tmp_path, other)
    copy_policy(make_agent("d3qn", one, seed=1, policy_kwargs={"net_arch": [8]}), str(tmp_path), RULE)
    with pytest.raises(ValueError, match=refused):
        copy_policy(make_agent("d3qn", other, seed=1, policy_kwargs={"net_arch": [8]}), str(tmp_path), RULE)


def test_the_shipped_policy_knows_its_plans() -> None:
    names = [f"semaigc({split})" for split in range(20)]
    with pytest.raises(ValueError, match=r"semaigc\(20\)\), the environment has 21 .* edge_aigc"):
        load_policy("root", vector_env(plans=[*names, "edge_aigc"], acceptance="alignment"))


def test_agents_of_other_environments_have_no_plans() -> None:
    agent: Any = make_agent("dqn", gym.make("CartPole-v1"))
    assert agent.plan_names is None


def test_trained_agents_are_told_the_masks_of_their_environment(tmp_path: Path) -> None:
    env = vector_env()
    make_agent("maskable_ppo", env, seed=0, policy_kwargs={"net_arch": [8]}, batch_size=64).save(
        tmp_path / "policy.zip"
    )
    observations, _ = env.reset(seed=0)
    free = load_policy(tmp_path, env).predict(observations)[0]
    masks = np.ones((3, 21), np.bool_)
    masks[np.arange(3), free] = False
    env.action_masks = lambda: masks  # type: ignore[attr-defined]
    masked = load_policy(tmp_path, env)
    assert (masked.predict(observations)[0] != free).all()
    assert np.array_equal(masked.predict(observations[:2])[0], free[:2])  # not the environment's requests


def test_damaged_agents_are_refused_in_one_sentence(tmp_path: Path) -> None:
    make_agent("d2sac", vector_env(), policy_kwargs={"net_arch": [8]}).save(tmp_path / "whole.zip")
    with zipfile.ZipFile(tmp_path / "whole.zip") as whole, zipfile.ZipFile(tmp_path / "part.zip", "w") as part:
        part.writestr("data", whole.read("data"))
    with pytest.raises(ValueError, match=r"part.zip cannot be loaded as a trained d2sac: [^\n]+$"):
        load_policy(tmp_path / "part.zip", vector_env())
    (tmp_path / "cut.zip").write_bytes((tmp_path / "whole.zip").read_bytes()[:2000])
    with pytest.raises(ValueError, match=r"not the zip of a trained agent: .*cut.zip"):
        load_policy(tmp_path / "cut.zip", vector_env())


def test_wrapped_and_adapted_environments_are_looked_through(tmp_path: Path) -> None:
    wrapped = gym.wrappers.TimeLimit(SplitEnv(profile=PROFILE), 5)
    adapted = SB3VecEnv(vector_env())
    for env in (wrapped, adapted):
        assert isinstance(load_policy("best_fixed", env), FixedPolicy)


def test_root_is_that_of_the_environments_rule(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for index, name in enumerate(("root_similarity", "root_alignment")):
        agent = make_agent("d3qn", vector_env(), seed=index, policy_kwargs={"net_arch": [8]})
        agent.save(tmp_path / f"{name}.zip")
    files = {path.stem: path for path in tmp_path.glob("root_*.zip")}
    monkeypatch.setattr(loading, "ROOT_WEIGHTS", files)
    obs = vector_env().observation_space.sample()

    def values(name: str, env: Any) -> Any:
        return load_policy(name, env).agent.q_net(obs_as_tensor(obs, "cpu")).tolist()  # type: ignore[union-attr]

    aligned, default = vector_env(acceptance="alignment"), vector_env()
    assert values("root", aligned) == values("root_alignment", default) == values(str(files["root_alignment"]), default)
    assert values("root", default) == values("root_similarity", aligned) != values("root", aligned)
    own = vector_env(acceptance={"metric": "ssim", "least": 0.5})
    with pytest.raises(ValueError, match=r"python train.py 'env.acceptance=\{metric:ssim,least:0.5\}' trains one"):
        load_policy("root", own)


def test_what_is_no_policy_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match=r"'orakel'.*oracle, oracle_bound, clairvoyant"):
        load_policy("orakel", vector_env())
    with pytest.raises(ValueError, match="policy.zip"):
        load_policy(tmp_path, vector_env())
    (tmp_path / "policy.zip").write_text("no zip")
    with pytest.raises(ValueError, match="not the zip of a trained agent"):
        load_policy(tmp_path, vector_env())
    monkeypatch.setattr(loading, "ROOT_WEIGHTS", {"root_similarity": tmp_path / "none.zip"})
    missing = "policy 'root_similarity' is not shipped: python train.py env.acceptance=similarity trains it"
    with pytest.raises(ValueError, match=missing):
        load_policy("root", vector_env())
    with pytest.raises(ValueError, match=r"\(2, 3, 7\)"):
        FixedPolicy(0).predict(np.zeros((2, 3, 7)))


def _plain(name: str) -> bool:
    return REQUIRED_PLANS[name] is None and name != "clairvoyant"
