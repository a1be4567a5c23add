"""The shell, the tokens, the components and the behaviours every screen is made of.

Knows no noun of the domain: data reaches it through the `shell` contract (`shell.py`), addresses through URL names.
"""
