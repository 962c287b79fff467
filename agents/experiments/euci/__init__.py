"""Figures of the paper on edge-user collaborative inference (EUCI)."""
