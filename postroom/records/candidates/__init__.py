"""Candidates: people who may work here, on their way through the stages of a job."""
