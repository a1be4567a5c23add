from tests.simulation.conftest import database  # noqa: F401  # a matrix opens its own transactions, too
