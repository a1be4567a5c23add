"""Sending under accidents at every step: ``make crash-matrix`` (product.md SE7).

Product and sandbox together, the engine one moment at a time: it is killed, or its connection to the provider is lost
before or after the provider did the work, at every single step of every way a message goes out. Then everything is
let come to rest, and the provider is asked how often each recipient got it.
"""
