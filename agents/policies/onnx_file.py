"""A greedy network as an ONNX file, and the file as something that decides."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from agents.policies.base import Actions
from agents.policies.exported import GreedyNetwork
from envs.files import whole_file

OPSET, IR_VERSION = 17, 9  # old enough for the runtimes that small devices have


def write_onnx(network: GreedyNetwork, path: str | Path) -> None:
    """Write the network with its scaling: `state` double [N, O] in, `action` int64 [N] and `values` float [N, A] out.

    Raises:
        ModuleNotFoundError: the extra `deploy` is not installed.
    """
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    constants: dict[str, Any] = {"low": network.low, "span": network.span, "logarithmic": network.logarithmic}
    constants |= {"tiny": np.float64(np.finfo(np.float64).tiny), "one": np.array([1]), "ends": np.array([2**31 - 1])}
    nodes = [
        helper.make_node("Max", ["state", "tiny"], ["positive"]),  # what is not logarithmic may be negative
        helper.make_node("Log", ["positive"], ["logarithm"]),
        helper.make_node("Where", ["logarithmic", "logarithm", "state"], ["linear"]),
        helper.make_node("Sub", ["linear", "low"], ["shifted"]),
        helper.make_node("Div", ["shifted", "span"], ["scaled"]),
        helper.make_node("Cast", ["scaled"], ["hidden0"], to=TensorProto.FLOAT),
    ]
    last = len(network.weights) - 1
    for index, (weight, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
        constants |= {f"weight{index}": weight, f"bias{index}": bias}
        out = f"layer{index}" if index < last or network.dueling else "values"
        nodes.append(helper.make_node("Gemm", [f"hidden{index}", f"weight{index}", f"bias{index}"], [out], transB=1))
        if index < last:
            nodes.append(helper.make_node(network.activation.capitalize(), [out], [f"hidden{index + 1}"]))
    if network.dueling:
        constants["zero"] = np.array([0])
        nodes += [
            helper.make_node("Slice", [f"layer{last}", "zero", "one", "one"], ["value"]),
            helper.make_node("Slice", [f"layer{last}", "one", "ends", "one"], ["advantage"]),  # along axis 1
            helper.make_node("ReduceMean", ["advantage"], ["mean"], axes=[1], keepdims=1),
            helper.make_node("Add", ["value", "advantage"], ["sum"]),
            helper.make_node("Sub", ["sum", "mean"], ["values"]),
        ]
    nodes.append(helper.make_node("ArgMax", ["values"], ["action"], axis=1, keepdims=0))
    used = {name for node in nodes for name in node.input}
    graph = helper.make_graph(
        nodes,
        "greedy_policy",
        [helper.make_tensor_value_info("state", TensorProto.DOUBLE, ["N", len(network.names)])],
        [
            helper.make_tensor_value_info("action", TensorProto.INT64, ["N"]),
            helper.make_tensor_value_info("values", TensorProto.FLOAT, ["N", len(network.plans)]),
        ],
        [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items() if name in used],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    helper.set_model_props(model, network.metadata())
    onnx.checker.check_model(model, full_check=True)
    with whole_file(path) as partial:
        onnx.save(model, partial)


class OnnxNetwork:
    """An exported policy that onnxruntime runs, on one thread.

    Args:
        path: what `write_onnx` wrote.

    Attributes:
        names, plans: of the state's quantities and of the actions, in order.

    Raises:
        ValueError: onnxruntime is not installed, or cannot read the file, or it is not of this kind.
    """

    def __init__(self, path: str | Path) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise ValueError(f"{path} needs onnxruntime: pip install 'semaigc[deploy]'") from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
            told = self._session.get_modelmeta().custom_metadata_map
            self.names, self.plans = (tuple(json.loads(told[key])) for key in ("names", "plans"))
        except Exception as error:  # onnxruntime's errors have no public common base
            raise ValueError(f"{path} is not an exported policy ({error})") from error

    def actions(self, state: ArrayLike) -> Actions:
        """Actions, int64 [N], of physical values [N, O]; the first of equals."""
        return self._session.run(["action"], {"state": np.asarray(state, dtype=np.float64)})[0]
