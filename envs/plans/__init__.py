"""Plans: who computes what, and what crosses which link, as a short list of stages.

A plan is data and has two readings: the transceiver executes it, the cost table prices it. Nothing else in
the house knows about schemes. Prompts (with their embeddings) and seeds reach any node on an error-free control
channel of negligible size, so they are not stages.

| paper | module | plans |
|---|---|---|
| SemAIGC (Cheng et al.) | `semaigc_plans` | `semaigc`, `non_root`, `non_finetuning`, `edge_aigc`, `local_aigc` |
| none: opponents of ours | `semaigc_plans` | `local_light_aigc`, `cloud_aigc` |
| EUCI (Feng et al.) | `euci_plans` | `euci`, with weights held, sent or fetched |
| Collaborative diffusion (Du et al.) | `collaborative_plans` | `edge_to_devices`, `device_to_device`, `cluster` |
| Mobile edge generation (Zhong et al.) | `mobile_edge_plans` | `full_ue`, `full_es`, `uieg`, `eiug`, `ciag`, `esuc` |
| the same, with several edge servers | `mobile_edge_plans` | `uidg`, `diug`, `dsuc`, `uidcg`, `dcsuc` |

EUCI's user-only and edge-only are `local_aigc` and `edge_aigc`. `names.expand` turns names into plans, and takes codecs
(`edge_aigc_webp`) and numbers of steps (`edge_aigc_webp@8`) with any of them.
"""

from __future__ import annotations

from envs.plans.codecs import DEFAULT_QUALITY, LATENT_CODECS, LOSSLESS_CODECS, codec_payload, codec_quality, full_codec
from envs.plans.collaborative_plans import cluster, device_to_device, edge_to_devices
from envs.plans.euci_plans import Weights, euci
from envs.plans.mobile_edge_plans import (
    ciag,
    dcsuc,
    diug,
    dsuc,
    eiug,
    esuc,
    full_es,
    full_ue,
    uidcg,
    uidg,
    uieg,
)
from envs.plans.names import FAMILIES, PROTOCOLS, SCHEMES, Family, expand
from envs.plans.plan import (
    DENOISERS,
    NUM_INFERENCE_STEPS,
    WEIGHTS,
    Compute,
    Module,
    Node,
    Payload,
    Plan,
    Stage,
    Transmit,
)
from envs.plans.semaigc_plans import (
    cloud_aigc,
    edge_aigc,
    local_aigc,
    local_light_aigc,
    non_finetuning,
    non_root,
    semaigc,
)

__all__ = [
    "DEFAULT_QUALITY",
    "DENOISERS",
    "FAMILIES",
    "LATENT_CODECS",
    "LOSSLESS_CODECS",
    "NUM_INFERENCE_STEPS",
    "PROTOCOLS",
    "SCHEMES",
    "WEIGHTS",
    "Compute",
    "Family",
    "Module",
    "Node",
    "Payload",
    "Plan",
    "Stage",
    "Transmit",
    "Weights",
    "ciag",
    "cloud_aigc",
    "cluster",
    "codec_payload",
    "codec_quality",
    "dcsuc",
    "device_to_device",
    "diug",
    "dsuc",
    "edge_aigc",
    "edge_to_devices",
    "eiug",
    "esuc",
    "euci",
    "expand",
    "full_codec",
    "full_es",
    "full_ue",
    "local_aigc",
    "local_light_aigc",
    "non_finetuning",
    "non_root",
    "semaigc",
    "uidcg",
    "uidg",
    "uieg",
]
