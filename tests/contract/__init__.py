"""What every connector promises, asked of every connector. A provider takes part by a ``World`` in ``worlds.py``."""
