"""Views, by what they show: lists, threads, what is done to them, compose, news."""
