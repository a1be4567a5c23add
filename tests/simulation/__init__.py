"""Histories of a small company's mail, drawn by a seed, in which everything goes wrong; at rest nothing may be.

    python -m tests.simulation --seeds 300            (scripts/simulate, make simulate)
    python -m tests.simulation --seed 17 --trace      one history, told step by step

docs/decisions/simulation.md says what is simulated and what is not.
"""
