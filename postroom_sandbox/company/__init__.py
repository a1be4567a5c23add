"""A made-up company with eighteen months of believable mail: pure, and the same for the same seed."""

from .generation import generate
from .model import Company, Contact, Customer, Delegation, SeedMessage, Tenant, User

__all__ = ["Company", "Contact", "Customer", "Delegation", "SeedMessage", "Tenant", "User", "generate"]
