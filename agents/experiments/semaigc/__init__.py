"""Figures and propositions of the SemAIGC paper."""
