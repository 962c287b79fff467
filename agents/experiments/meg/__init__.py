"""Figures of the paper on mobile edge generation (MEG)."""
