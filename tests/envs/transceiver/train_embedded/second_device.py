"""A second device where there is none: its tensors compute on the CPU, but do not mix with the CPU's."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_flatten, tree_map

DEVICE = torch.device("cuda", 0)


class There(Tensor):
    """A tensor that says that it is on `DEVICE`."""

    device = property(lambda _: DEVICE)  # type: ignore[assignment]


class _Apart(TorchFunctionMode):
    def __torch_function__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        given = tree_flatten((args, kwargs))[0]
        tensors = [each for each in given if isinstance(each, Tensor)]
        sent = DEVICE in [each for each in given if isinstance(each, torch.device)]
        if sent or (function is Tensor.to and any(isinstance(each, There) for each in tensors[1:])):
            args, kwargs = tree_map(lambda each: torch.device("cpu") if each == DEVICE else each, (args, kwargs))
            return function(*args, **kwargs).as_subclass(There)
        if function is Tensor.cpu:
            return tensors[0].as_subclass(Tensor)
        moves = function in (Tensor.to, Tensor.copy_) or not all(each.ndim for each in tensors)
        if not moves and len({isinstance(each, There) for each in tensors}) > 1:
            raise RuntimeError(f"{getattr(function, '__name__', function)} met tensors of two devices")
        return function(*args, **kwargs)


@contextmanager
def second_device(*networks: nn.Module) -> Iterator[None]:
    """Tensors can be sent to `DEVICE` within; the networks are there."""
    torch.__future__.set_overwrite_module_params_on_conversion(True)
    try:
        for network in networks:
            network._apply(lambda tensor: tensor.as_subclass(There))
    finally:
        torch.__future__.set_overwrite_module_params_on_conversion(False)
    with _Apart():
        yield
