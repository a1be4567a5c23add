from tests.simulation.conftest import database  # noqa: F401  # an office opens its own transactions
