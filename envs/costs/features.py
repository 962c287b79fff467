"""The state of a link and of the devices, and the features of it that prices are linear in (`envs.costs.table`)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from envs.checks import number
from envs.costs.formulas import Rate, shannon_rate_bps
from envs.units import FloatArray, Floats

EDGE_STEPS, LINK, USER_STEPS, EDGE_CONSTANT, USER_CONSTANT = range(5)  # the first of each part, then the second
BACKHAUL, SYMBOLS = 5, 6  # only in tables of plans that have them
CLOUD_STEPS, CLOUD_CONSTANT = 7, 8  # likewise


class LinkState(NamedTuple):
    """State of N links and of the devices at their ends; float64 [N], or floats for all of them.

    Attributes:
        snr_db: signal-to-noise ratio.
        bandwidth_hz: bandwidth.
        edge_availability, user_availability: share of the device that is available, (0, 1].
        density_factor: multiplies the work of the denoising steps at both ends.
    """

    snr_db: Floats
    bandwidth_hz: Floats
    edge_availability: Floats = 1.0
    user_availability: Floats = 1.0
    density_factor: Floats = 1.0

    def validate(self) -> None:
        """Refuse numbers that have no price (for one state).

        Raises:
            ValueError: NaN or infinite SNR, or a bandwidth, availability or density out of range.
        """
        number("snr_db", self.snr_db)
        for name in ("bandwidth_hz", "density_factor"):
            number(name, getattr(self, name), above=0.0)
        for name in ("edge_availability", "user_availability"):
            number(name, getattr(self, name), most=1.0, above=0.0)

    def features(self, rate_bps: Rate = shannon_rate_bps, num_features: int = BACKHAUL) -> FloatArray:
        """Compute the first features of the table at a link's rate, float64 [F, N] (N = 1 if all are floats)."""
        size = np.broadcast(
            self.snr_db, self.bandwidth_hz, self.edge_availability, self.user_availability, self.density_factor
        ).size
        features = np.empty((num_features, size))
        np.divide(1.0, self.edge_availability, features[EDGE_CONSTANT])
        np.divide(1.0, self.user_availability, features[USER_CONSTANT])
        np.multiply(self.density_factor, features[EDGE_CONSTANT], features[EDGE_STEPS])
        np.multiply(self.density_factor, features[USER_CONSTANT], features[USER_STEPS])
        np.divide(1.0, rate_bps(self.bandwidth_hz, self.snr_db), features[LINK])
        if num_features > BACKHAUL:
            features[BACKHAUL] = 1.0
            np.divide(1.0, self.bandwidth_hz, features[SYMBOLS])
        if num_features > CLOUD_STEPS:
            features[CLOUD_STEPS] = self.density_factor
            features[CLOUD_CONSTANT] = 1.0
        return features
