"""Custom fields: what a workspace keeps about its records besides what every workspace does."""
