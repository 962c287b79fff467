"""The figures of the papers and experiments of our own: `python evaluate.py experiment=NAME`, a module each."""

PAPERS = ("semaigc", "euci", "meg")
"""Folders of this package: `semaigc_fig4` is their module `semaigc.fig4`."""

EXPERIMENTS = (
    "semaigc_fig4",
    "semaigc_fig5",
    "semaigc_fig6",
    "semaigc_fig7",
    "semaigc_fig8",
    "semaigc_fig9",
    "semaigc_prop2",
    "euci_fig8",
    "meg_fig6",
    "receivers",
    "eavesdropper",
    "steps",
    "codecs",
    "regret",
    "ablations",
    "transfer",
    "protocols",
    "future",
    "worth",
)
"""Names, in the order of the report; each is a module of this package and a file of `configs/experiment`."""


def module_of(name: str) -> str:
    """The module of an experiment."""
    paper, _, rest = name.partition("_")
    return f"{__name__}.{paper}.{rest}" if paper in PAPERS else f"{__name__}.{name}"
