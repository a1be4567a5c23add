"""The engine. It moves pages between a connector and a resource and names no resource itself."""
