"""The figures of the papers and experiments of our own: `python evaluate.py experiment=NAME`, a module each."""

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
    "steps",
    "regret",
    "ablations",
    "transfer",
    "protocols",
    "future",
)
"""Names, in the order of the report; each is a module of this package and a file of `configs/experiment`."""
