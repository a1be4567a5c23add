"""Forty composed messages as those who get them see them: read by a parser that produced none of them."""
