"""LinUCB: the request as a contextual bandit, with one ridge regression of the reward for each action."""

from __future__ import annotations

from itertools import combinations_with_replacement
from typing import Any, ClassVar

import torch as th
from gymnasium import spaces
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.type_aliases import PyTorchObs, Schedule

from envs import checks


def monomial_indices(num_inputs: int, degree: int) -> th.Tensor:
    """Factors of every monomial of up to `degree` of `num_inputs` inputs.

    Returns:
        int64 [M, degree], M = C(num_inputs + degree, degree); index `num_inputs` stands for the factor 1.
    """
    return th.tensor(list(combinations_with_replacement(range(num_inputs + 1), degree)))


class LinUCBPolicy(BasePolicy):
    """Ridge statistics of every action, and the choice that they lead to.

    Action a of context x (monomials of the observation, M of them) has the estimate `theta_a . x`,
    `theta_a = A_a^-1 b_a`, and the uncertainty `sqrt(x . A_a^-1 x)`, where `A_a = ridge I + sum x x^T` and
    `b_a = sum r x` over the requests that it served.

    Source: Li et al., "A Contextual-Bandit Approach to Personalized News Article Recommendation" (2010), algorithm 1
    (disjoint linear models).

    Args:
        observation_space: flattened (one-hot where it is discrete).
        action_space: discrete, of A actions.
        lr_schedule: unused; stable-baselines3 gives it to every policy.
        alpha: weight of the uncertainty in actions that are not deterministic.
        ridge: penalty on the coefficients.
        degree: of the monomials.
    """

    action_space: spaces.Discrete
    gram: th.Tensor
    moment: th.Tensor
    inverse: th.Tensor
    theta: th.Tensor

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Discrete,
        lr_schedule: Schedule,
        alpha: float = 1.0,
        ridge: float = 1.0,
        degree: int = 1,
    ) -> None:
        super().__init__(observation_space, action_space)
        self.alpha, self.ridge, self.degree = alpha, ridge, degree
        self.features_extractor = self.make_features_extractor()
        self._factors = monomial_indices(self.features_extractor.features_dim, degree)
        num_actions, size = int(action_space.n), len(self._factors)
        eye = th.eye(size, dtype=th.float64).repeat(num_actions, 1, 1)
        self.register_buffer("gram", ridge * eye)
        self.register_buffer("moment", th.zeros(num_actions, size, dtype=th.float64))
        self.register_buffer("inverse", eye / ridge)
        self.register_buffer("theta", th.zeros(num_actions, size, dtype=th.float64))

    def contexts(self, observation: PyTorchObs) -> th.Tensor:
        """Monomials, float64 [N, M], of N observations."""
        inputs = self.extract_features(observation, self.features_extractor).double()
        inputs = th.cat([inputs, inputs.new_ones(len(inputs), 1)], dim=1)
        return inputs[:, self._factors].prod(dim=2)

    def scores(self, observation: PyTorchObs, alpha: float) -> th.Tensor:
        """Estimate and `alpha` times its uncertainty, float64 [N, A]."""
        x = self.contexts(observation)
        estimate = x @ self.theta.T
        if alpha == 0:
            return estimate
        variance = th.einsum("ani,ni->na", x @ self.inverse, x)
        return estimate + alpha * variance.clamp(min=0).sqrt()

    def update(self, observation: PyTorchObs, actions: th.Tensor, rewards: th.Tensor) -> None:
        """Learn from N served requests: actions int64 [N], rewards [N]."""
        x = self.contexts(observation)
        chosen = th.nn.functional.one_hot(actions, int(self.action_space.n)).T.double()  # [A, N]
        self.gram += (chosen[:, :, None] * x).transpose(1, 2) @ x
        self.moment += chosen @ (rewards.double()[:, None] * x)
        used = chosen.any(dim=1)
        self.inverse[used] = th.cholesky_inverse(th.linalg.cholesky(self.gram[used]))
        self.theta[used] = (self.inverse[used] @ self.moment[used, :, None])[..., 0]

    def forward(self, observation: PyTorchObs, deterministic: bool = False) -> th.Tensor:
        """Actions, int64 [N]."""
        return self.scores(observation, 0.0 if deterministic else self.alpha).argmax(dim=1)

    _predict = forward

    def _get_constructor_parameters(self) -> dict[str, Any]:
        own = {"alpha": self.alpha, "ridge": self.ridge, "degree": self.degree}
        return super()._get_constructor_parameters() | own | {"lr_schedule": self._dummy_schedule}


class LinUCB(OffPolicyAlgorithm):
    """Disjoint LinUCB as a stable-baselines3 algorithm: `LinUCB("MlpPolicy", env).learn(...)`.

    It learns from every request once, the requests of one step of N environments together, and looks at immediate
    rewards only. All that it learns is in the policy (`LinUCBPolicy`), at once: the replay buffer stays empty, there is
    no optimiser, and nothing is random. Deterministic actions leave the uncertainty out.

    Args:
        policy: "MlpPolicy", or a subclass of `LinUCBPolicy`.
        env: environment with discrete actions, its id, or a stable-baselines3 `VecEnv` (see `agents.SB3VecEnv`).
        alpha: weight of the uncertainty, >= 0.
        ridge: penalty on the coefficients, > 0.
        degree: contexts are all monomials of the observation's entries up to this degree; 1 is the paper's.
        others: as of every stable-baselines3 algorithm; the seed is the environment's.

    Raises:
        ValueError: actions that are not discrete, or a number out of its bounds.
    """

    policy_aliases: ClassVar[dict[str, type[BasePolicy]]] = {"MlpPolicy": LinUCBPolicy}
    policy: LinUCBPolicy

    def __init__(
        self,
        policy: str | type[LinUCBPolicy],
        env: Any,
        alpha: float = 1.0,
        ridge: float = 1.0,
        degree: int = 1,
        stats_window_size: int = 100,
        tensorboard_log: str | None = None,
        verbose: int = 0,
        seed: int | None = None,
        device: th.device | str = "auto",
        _init_setup_model: bool = True,
    ) -> None:
        checks.number("alpha", alpha, 0)
        checks.number("ridge", ridge, above=0)
        checks.integer("degree", degree, 1)
        super().__init__(
            policy,
            env,
            learning_rate=0.0,
            buffer_size=1,
            learning_starts=0,
            gradient_steps=0,
            stats_window_size=stats_window_size,
            tensorboard_log=tensorboard_log,
            verbose=verbose,
            device=device,
            support_multi_env=True,
            seed=seed,
            sde_support=False,
        )
        self.alpha, self.ridge, self.degree = alpha, ridge, degree
        if env is not None and not isinstance(self.action_space, spaces.Discrete):
            raise ValueError(f"LinUCB needs discrete actions, the environment has {self.action_space}")
        if _init_setup_model:
            self._setup_model()

    def _setup_model(self) -> None:
        self.policy_kwargs = {"alpha": self.alpha, "ridge": self.ridge, "degree": self.degree}
        super()._setup_model()

    def _store_transition(
        self, replay_buffer: Any, buffer_action: Any, new_obs: Any, reward: Any, dones: Any, infos: Any
    ) -> None:
        """Learn from a step of the environments instead of keeping it."""
        with th.no_grad():
            observations, _ = self.policy.obs_to_tensor(self._last_obs)  # type: ignore[arg-type]
            actions, rewards = (th.as_tensor(values, device=self.device) for values in (buffer_action, reward))
            self.policy.update(observations, actions, rewards)
        self._n_updates += 1
        self._last_obs = new_obs
