"""Who visits the shop under load, and how many of each; run by `blackstart load`, in one of its shapes.

Each class says its share. What the stack was deployed without is not visited.
"""

from customers import Customer
from guests import Browser, Buyer, Hasty, Mistaken
from staff import Clerk

__all__ = ["Browser", "Buyer", "Clerk", "Customer", "Hasty", "Mistaken"]
